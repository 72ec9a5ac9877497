// What the SIP library asks for names, answered by Names in place of the library's own resolver.
//
// The library keeps its logic of RFC 3263: NAPTR, SRV, addresses, the next server when one fails.
// Its resolver is not used: it spins when no name server can be reached, floods two that refuse,
// aborts when resolv.conf gets shorter, and takes 64 s a question.
#pragma once

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// Where the library looks before it asks: one for all stacks.
[[nodiscard]] sres_cache_t* name_cache();

} // namespace revenant::sip
