// Where in a stream a SIP message may begin.
#pragma once

#include <string_view>

namespace revenant::sip {

enum class Beginning { of_message, of_nothing_known, unclear };

// Whether a SIP message may begin so (RFC 3261 §7, after any empty lines). `unclear`: nothing but
// empty lines.
[[nodiscard]] Beginning judge(std::string_view bytes);

} // namespace revenant::sip
