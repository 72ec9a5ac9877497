// The peer's session description as values, read by sofia-sip's parser.
#pragma once

#include <optional>
#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/call/sdp.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// What the stack takes for a description in this message, which it belongs to; nothing: there is
// none.
[[nodiscard]] std::optional<std::string_view> description_in(const sip_t& sip);

// Errc::bad_input for what is no SDP, has no usable address, or is absurdly long.
[[nodiscard]] base::Result<call::RemoteSession> read_sdp(std::string_view text);

} // namespace revenant::sip
