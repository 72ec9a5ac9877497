// What the SIP library asks for names, answered by Names in place of the library's own resolver.
//
// The library keeps its logic of RFC 3263: NAPTR, SRV, addresses, the next server when one fails.
// The resolver below that spins when no name server can be reached, floods two that refuse, aborts
// when resolv.conf gets shorter, and takes 64 s a question.
#pragma once

#include <functional>
#include <string_view>

#include "revenant/call/dialog.hpp"

namespace revenant::sip {

// Where the other end of a dialog was heard last, by Call-ID and our tag; port 0: not known. It
// serves requests within that dialog alone, where names do not lead anywhere: a stranger may name
// any host as his.
using DialogHint = std::function<call::Endpoint(std::string_view call_id, std::string_view tag)>;

// Whoever gives it takes it back with an empty one.
void set_dialog_hint(DialogHint hint);

} // namespace revenant::sip
