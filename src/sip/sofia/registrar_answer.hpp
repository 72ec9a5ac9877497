// What a registrar's answer says, in the words of the account machine (RFC 3261 §10.2.4).
#pragma once

#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// Of a final response to the REGISTER that this record was sent as. Challenges are left to the
// caller, who knows what there are credentials for.
[[nodiscard]] account::event::Answered read_registrar_answer(const account::Registration& record,
                                                             const sip_t& response);

} // namespace revenant::sip
