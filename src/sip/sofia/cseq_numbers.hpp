// Reliable provisional responses (RFC 3262) over more than one process.
//
// - In a dialog that we begin nua counts the CSeq by itself, and begins again at the INVITE's when
//   that is repeated. While a dialog is known here, each new request gets a number above all that
//   this process and those before it have used, and a PRACK the one that the record says.
// - Our first RSeq is always 1, so that a 180 that is said again is the same response.
// - No answer of ours is in a 1xx. In a restored dialog the stack would put one into a reliable
//   180, and then none into the 200, although the caller may have taken the 180 without it.
//
// All of them stand in front of the library's functions (interpose/stack_hooks.hpp).
#pragma once

#include <cstdint>
#include <string>

namespace revenant::sip::cseq_numbers {

// `key` is the leg's (Leg::key): Call-ID and our tag.
// `invite`: the CSeq of our INVITE; none above `used` has been used.
void begin(const std::string& key, std::uint32_t invite, std::uint32_t used);
void end(const std::string& key);

// What the next request will have; 0: there is no such dialog.
[[nodiscard]] std::uint32_t next(const std::string& key);
// The same, and no other request will have it.
[[nodiscard]] std::uint32_t reserve(const std::string& key);
// The next PRACK for the response with this RSeq has this CSeq, whether or not it is a new one.
void assign(const std::string& key, std::uint32_t rseq, std::uint32_t cseq);

} // namespace revenant::sip::cseq_numbers
