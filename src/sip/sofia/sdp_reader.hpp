// The peer's session description as values, read by sofia-sip's parser.
#pragma once

#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::sip {

// Errc::bad_input for what is no SDP, has no usable address, or is absurdly long.
[[nodiscard]] base::Result<call::RemoteSession> read_sdp(std::string_view text);

} // namespace revenant::sip
