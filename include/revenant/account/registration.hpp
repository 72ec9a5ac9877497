// One binding of ours at a registrar (RFC 3261 §10) as the journal keeps it: everything that must
// be known to refresh or remove it after the process that made it is gone. Plain values.
// Stored as JSON; the format is specified in state/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "revenant/call/dialog.hpp"
#include "revenant/call/transport.hpp"

namespace revenant::account {

// Of what others say, no more is taken: what is beyond cannot be stored. In bytes, and entries.
inline constexpr std::size_t text_max = 1024; // of each text
inline constexpr std::size_t routes_max = 16; // of `service_route`, and of `path`
inline constexpr std::size_t challenges_max = 8;

// A challenge as a registrar or a proxy has said it last (RFC 7616 §3.3), and how often its nonce
// was used.
struct Challenge {
    bool is_proxys = false; // 407, else 401
    std::string realm = {};
    std::string nonce = {};
    std::string opaque = {};    // empty: none
    std::string algorithm = {}; // empty: MD5
    std::string qop = {};       // the one that is used: "auth", "auth-int", or empty: RFC 2069's
    // No request of ours has gone out with this nonce and a count above this.
    std::uint32_t nonce_count = 0;

    friend bool operator==(const Challenge&, const Challenge&) = default;
};

// How it stood when it was last stored.
enum class Standing : std::uint8_t {
    trying,     // wanted, and not there: a REGISTER may be on its way, or is due
    registered, // the registrar has it until `expires_ms`; a refresh may be on its way
    refused,    // the registrar's word is final: nothing is sent until the user asks for it
    leaving,    // our un-REGISTER may be on its way
};

// Instants are milliseconds of real time since 1970, and the same on the boot clock, which counts
// while `boot_id` is this boot's (see call::BootTimes). 0: none.
struct Registration {
    std::string account; // its name
    Standing standing = Standing::trying;

    std::string aor;  // a URI: To, and without a tag From
    std::string from; // our From name-addr, without tag
    std::string from_tag;
    std::string registrar;      // a URI: the Request-URI
    std::string home;           // a URI: where a 3xx has led us away from; empty: it has not
    std::string outbound_proxy; // a URI, or empty
    std::string call_id;        // one for a binding, over deaths too
    std::uint32_t cseq = 0;     // no REGISTER of ours has gone out above this
    // The address of the binding: a URI, without header parameters.
    std::string contact;
    std::string old_contact;  // of the binding before it, which is to be removed; empty: none
    std::string instance_id;  // "urn:uuid:…"
    std::uint32_t reg_id = 0; // of the flow (RFC 5626 §4.2); 0: no outbound

    call::Transport transport = call::Transport::udp;
    call::Endpoint local;  // where we listen
    call::Endpoint remote; // where the registrar's last answer came from

    std::uint32_t asked_s = 3600; // what the user wants, or the registrar's least (423)
    std::uint32_t granted_s = 0;
    std::int64_t expires_ms = 0; // the binding's end
    std::int64_t next_ms = 0;    // when the next REGISTER is due: the refresh, or another try
    std::string boot_id;
    std::int64_t expires_boot_ms = 0;
    std::int64_t next_boot_ms = 0;
    std::int64_t rests_boot_ms = 0; // what is sent before is one too many (see account::budget)

    std::vector<std::string> service_route; // name-addrs, in order (RFC 3608)
    std::vector<std::string> path;          // as the registrar has told it (RFC 3327)
    std::string gruu;                       // pub-gruu (RFC 5627), a URI; empty: none
    call::Endpoint public_address;          // as the registrar sees us (RFC 3581); port 0: unknown

    std::vector<Challenge> challenges; // that requests are answered for from the beginning
    std::uint32_t failures = 0;        // in a row, for the back-off (RFC 5626 §4.5)
    std::uint16_t last_status = 0;     // why it is refused, or waits
    std::string last_reason;
    // Of what the account says, and of its secret's age: another one makes a refusal void.
    std::string settings_id;
    std::uint32_t restarts = 0; // that it has lived through

    friend bool operator==(const Registration&, const Registration&) = default;
};

} // namespace revenant::account
