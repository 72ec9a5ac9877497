// What can happen to a registration: from the user, from the registrar, from a timer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "revenant/account/registration.hpp"
#include "revenant/base/variant.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::account {

// What a 2xx says about our binding.
struct Grant {
    // Of our own Contact, in whatever spelling; nothing: it is not among those listed.
    std::optional<std::uint32_t> expires_s;
    std::vector<std::string> service_route = {};
    std::vector<std::string> path = {};
    std::string gruu = {};
    call::Endpoint public_address = {}; // received and rport of our Via

    friend bool operator==(const Grant&, const Grant&) = default;
};

struct Challenged {
    Challenge challenge; // nonce_count is 0
    bool is_stale = false;
    bool has_credentials = false; // we know a user and a password for its realm

    friend bool operator==(const Challenged&, const Challenged&) = default;
};

namespace event {

// ---- From the user, or the start ----
struct Register {}; // wanted from now on

struct Unregister {}; // no longer wanted

// The password is known, or another one.
struct Keyed {};

// ---- A start with the record of an earlier life ----
// `has_flow`: requests of the registrar's still reach us where it believes us to be, as over UDP,
// or over a connection that was kept.
struct Restore {
    bool has_flow = true;
    std::string settings_id = {};
};

// ---- From the other end ----
// A final answer to the REGISTER with that CSeq; those to earlier ones mean nothing.
struct Answered {
    std::uint32_t cseq = 0;
    std::uint16_t status = 0;
    std::string reason = {};
    bool is_local = false; // nobody has answered, or it has reached nobody
    call::Endpoint remote = {};
    std::uint32_t retry_after_s = 0;
    std::uint32_t min_expires_s = 0;         // of a 423
    std::string moved_to = {};               // a URI: the Contact of a 3xx
    std::vector<Challenged> challenges = {}; // of a 401 or 407: those that could be answered
    std::optional<Grant> grant = {};         // of a 2xx
};

struct FlowLost {}; // the connection over which we are registered is gone

// Our own address is another one.
struct Moved {
    call::Endpoint local;
    std::string contact;
};

// ---- From ourselves ----
struct Due {}; // the instant of effect::WaitUntil has come

struct StoreFailed {}; // the record could not be stored: nothing behind that effect was done

} // namespace event

using UserEvent = std::variant<event::Register, event::Unregister, event::Keyed>;
using Event = base::Joined<UserEvent,
                           std::variant<event::Restore,
                                        event::Answered,
                                        event::FlowLost,
                                        event::Moved,
                                        event::Due,
                                        event::StoreFailed>>;

} // namespace revenant::account
