// From nua's callback arguments to a call::Event: one switch, copies only.
#pragma once

#include <optional>
#include <string_view>

#include "revenant/call/dialog.hpp"
#include "revenant/call/event.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// The arguments of one callback; valid until it returns.
struct Raw {
    nua_event_t event = nua_i_none;
    int status = 0;
    const char* phrase = nullptr;
    const sip_t* sip = nullptr; // may be null: local events
    const tagi_t* tags = nullptr;
    msg_t* message = nullptr; // the request being handled, for its source address; may be null
};

// Nothing: the event does not concern the call machine. `stand_in` is what the stand-in calls
// itself in Server; `own_interval_s` what we ask for as session timer.
[[nodiscard]] std::optional<call::Event>
decode(const Raw& raw, std::string_view stand_in, std::uint32_t own_interval_s);

// An INVITE outside any dialog as the beginning of a call. Number, contact, local tag and
// addresses of ours are left to the caller. Nothing if it came by a transport that is not ours.
[[nodiscard]] std::optional<call::Dialog> decode_invite(const Raw& raw,
                                                        std::uint32_t own_interval_s);

// Why a request of ours was refused, or has reached nobody.
[[nodiscard]] std::string final_reason_of(const Raw& raw);

// Whether nua_i_state says that an INVITE of ours has no final answer.
[[nodiscard]] bool says_calling(const Raw& raw);

} // namespace revenant::sip
