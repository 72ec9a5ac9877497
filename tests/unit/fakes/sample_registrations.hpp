// Registrations as a journal may hold them.
#pragma once

#include "revenant/account/registration.hpp"

namespace revenant::journal {

inline account::Registration sample_registration() {
    account::Registration r;
    r.account = "work";
    r.standing = account::Standing::registered;
    r.aor = "sip:alice@example.org";
    r.from = "\"Alice\" <sip:alice@example.org>";
    r.from_tag = "g5Xr8Q3pHm0aZ";
    r.registrar = "sip:example.org";
    r.call_id = "9f2c1e5a-0b1d-4f7e-8c55-d3a1b2c4e5f6";
    r.cseq = 12;
    r.contact = "sip:alice@192.0.2.10:5060";
    r.instance_id = "urn:uuid:0b1d4f7e-8c55-4a53-9f0e-1de2d7a0b0aa";
    r.local = {.address = "192.0.2.10", .port = 5060};
    r.remote = {.address = "192.0.2.1", .port = 5060};
    r.granted_s = 600;
    r.expires_ms = 1'789'999'700'000;
    r.next_ms = 1'789'999'640'000;
    r.boot_id = "3b1b0c0e-5f0a-4a53-9f0e-1de2d7a0b0aa";
    r.expires_boot_ms = 81'834'318;
    r.next_boot_ms = 81'774'318;
    r.challenges = {{.realm = "example.org",
                     .nonce = "aS5wZSBub25jZQ==",
                     .algorithm = "SHA-256",
                     .qop = "auth",
                     .nonce_count = 7}};
    r.settings_id = "5d41402abc4b2a76";
    r.restarts = 1;
    return r;
}

// A member that is left out of a record would be found in this one.
inline account::Registration sample_full_registration() {
    account::Registration r = sample_registration();
    r.outbound_proxy = "sip:192.0.2.1:5060;transport=tcp";
    r.reg_id = 1;
    r.service_route = {"<sip:p1.example.org;lr>", "<sips:p2.example.org;lr>"};
    r.path = {"<sip:edge.example.org;lr>"};
    r.gruu = "sip:alice@example.org;gr=urn:uuid:0b1d4f7e-8c55-4a53-9f0e-1de2d7a0b0aa";
    r.public_address = {.address = "203.0.113.7", .port = 40'123};
    r.challenges.push_back({.is_proxys = true,
                            .realm = "a proxy's",
                            .nonce = "n0",
                            .opaque = "o",
                            .algorithm = "",
                            .qop = "",
                            .nonce_count = 1});
    r.failures = 2;
    r.last_status = 503;
    r.last_reason = "Service Unavailable";
    return r;
}

// Before the first answer.
inline account::Registration sample_trying() {
    account::Registration r = sample_registration();
    r.standing = account::Standing::trying;
    r.cseq = 0;
    r.contact = "";
    r.instance_id = "";
    r.remote = {};
    r.granted_s = 0;
    r.expires_ms = 0;
    r.next_ms = 0;
    r.boot_id = "";
    r.expires_boot_ms = 0;
    r.next_boot_ms = 0;
    r.challenges = {};
    r.settings_id = "";
    r.restarts = 0;
    return r;
}

} // namespace revenant::journal
