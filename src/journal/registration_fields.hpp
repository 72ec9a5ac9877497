// What a registration's record is, said once, as dialog_fields.hpp does for a dialog's; the
// visitors are the same.
#pragma once

#include <cstdint>

#include "journal/dialog_fields.hpp"
#include "journal/record_rules.hpp"
#include "revenant/account/registration.hpp"

namespace revenant::journal {

template <typename V, Is<account::Challenge> T>
void fields(V& v, T& challenge) {
    v.flag("is_proxys", challenge.is_proxys);
    v.text("realm", challenge.realm, rule::short_line);
    v.text("nonce", challenge.nonce, rule::short_line);
    v.text("opaque", challenge.opaque, rule::short_line);
    v.text("algorithm", challenge.algorithm, rule::token);
    v.text("qop", challenge.qop, rule::token);
    v.number("nonce_count", challenge.nonce_count);
}

// Whose binding it is, and where.
template <typename V, Is<account::Registration> T>
void identity_fields(V& v, T& it) {
    const Hop hop = next_hop(it.transport);
    v.text("aor", it.aor, rule::filled(rule::uri(Hop::later)));
    v.text("from", it.from, rule::filled(rule::short_line));
    v.text("from_tag", it.from_tag, rule::filled(rule::token));
    v.text("registrar", it.registrar, rule::filled(rule::uri(hop)));
    v.text("outbound_proxy", it.outbound_proxy, rule::uri(hop));
    v.text("call_id", it.call_id, rule::filled(rule::token));
    // Who has been asked for a binding knows of our last request, and where we are.
    const bool was_sent =
        it.standing == account::Standing::registered || it.standing == account::Standing::leaving;
    v.number("cseq", it.cseq, Range{.min = was_sent ? 1 : 0, .max = cseq_max});
    v.text("contact", it.contact, rule::filled(rule::uri(Hop::later), was_sent));
    v.text("instance_id", it.instance_id, rule::token);
    v.number("reg_id", it.reg_id);
    v.name("transport", it.transport);
    v.object("local", it.local);
    v.object("remote", it.remote);
}

// What the registrar has granted, and what is due.
template <typename V, Is<account::Registration> T>
void binding_fields(V& v, T& it) {
    // A binding that is there ends some time.
    const std::int64_t least = it.standing == account::Standing::registered ? 1 : 0;
    constexpr Range instant{.min = -call::BootTimes::most_ms, .max = call::BootTimes::most_ms};
    v.number("asked_s", it.asked_s);
    v.number("granted_s", it.granted_s, Range{.min = least, .max = rule::whole<std::uint32_t>.max});
    v.number("expires_ms", it.expires_ms, Range{.min = least});
    v.number("next_ms", it.next_ms, rule::time);
    v.text("boot_id", it.boot_id, rule::token);
    v.number("expires_boot_ms", it.expires_boot_ms, instant);
    v.number("next_boot_ms", it.next_boot_ms, instant);
    v.texts("service_route", it.service_route, rule::routes(next_hop(it.transport)));
    v.texts("path", it.path, rule::routes(Hop::later));
    v.text("gruu", it.gruu, rule::uri(Hop::later));
    v.object("public_address", it.public_address);
}

template <typename V, Is<account::Registration> T>
void fields(V& v, T& it) {
    v.text("account", it.account, rule::filled(rule::account));
    v.name("standing", it.standing);
    identity_fields(v, it);
    binding_fields(v, it);
    v.objects("challenges", it.challenges, account::challenges_max);
    v.number("failures", it.failures);
    v.number("last_status", it.last_status, Range{.min = 100, .max = 699, .or_zero = true});
    v.text("last_reason", it.last_reason, rule::short_line);
    v.text("settings_id", it.settings_id, rule::token);
    v.number("restarts", it.restarts);
}

} // namespace revenant::journal
