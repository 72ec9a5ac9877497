// sofia-sip's SDP parser never ends on a media format that is no token: it allocates for ever, and
// 79 bytes from anybody take the machine down. It also refuses a whole description for one
// attribute that it does not like, of whatever stream; so of a peer's description it gets only what
// is used of it. The stack itself parses every offer before we see it: so this stands in front of
// the library's `sdp_parse`.
#pragma once

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// As `sdp_parse`. The caller owns the parser; null only without memory.
[[nodiscard]] sdp_parser_t*
parse_guarded(su_home_t* home, const char text[], issize_t size, int flags);

} // namespace revenant::sip
