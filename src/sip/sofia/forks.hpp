// The other answers to an INVITE of ours.
//
// A proxy may fork an INVITE, and more than one callee may answer it. One of them has the call;
// each of the others believes in one, too, until it hears BYE (RFC 3261 §13.2.2.4). The library has
// a function for that, which ours stands in front of: its BYE is sent once and has the highest of
// all CSeqs. It also says BYE to the only one who answers, if another has rung reliably (RFC 3262):
// from then on the library waits for that one alone.
#pragma once

#include <string>

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// Acknowledges this 2xx to an INVITE of ours and says BYE in its dialog until that is answered.
// Whenever and in whichever life it is said, it is the same request. `proxy`: where requests go
// first, a URI or empty.
void end_other_answer(nta_agent_t* agent, const sip_t& answer, const std::string& proxy);

// Whether the answer that is being delivered is another one to an INVITE of ours.
[[nodiscard]] bool is_of_other_fork();

} // namespace revenant::sip
