// The digit that an INFO may carry, in the two forms that phones use. No RFC has them: RFC 6086
// names INFO for DTMF only to say so.
#pragma once

#include <optional>
#include <string_view>

namespace revenant::app {

// `info`: "application/dtmf-relay: Signal=5…" or "application/dtmf: 5", as the call machine tells
// it. One of 0-9, A-D, * and #, or nothing.
[[nodiscard]] std::optional<char> digit_in(std::string_view info);

} // namespace revenant::app
