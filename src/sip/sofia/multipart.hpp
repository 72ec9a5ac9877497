// The session description among the parts of a multipart body (RFC 2046 §5.1, RFC 5621).
#pragma once

#include <optional>
#include <string_view>

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// `kind`: what follows "multipart/". Of several descriptions in an "alternative" the last counts
// (RFC 5621 §4.2), else the first. Nothing if there is none, or if `is_strict` and another part
// says itself that it must be understood (handling=required, RFC 3204 §6.1).
[[nodiscard]] std::optional<std::string_view> description_in(std::string_view kind,
                                                             std::string_view boundary,
                                                             std::string_view body,
                                                             bool is_strict);

// Of a multipart body with a description only that is left, as if nothing else had come. The
// library would refuse it with 415, or, told to read it, trust its bytes (`assert`, reads beyond
// the end).
void keep_description_only(msg_t* message);

} // namespace revenant::sip
