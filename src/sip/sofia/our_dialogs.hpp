// Finds our end of a dialog for those who have only a message in hand: what stands in front of the
// library's functions, and the stand-in.
#pragma once

#include <functional>
#include <string_view>

#include "revenant/call/dialog.hpp"

namespace revenant::sip {

// By Call-ID and our tag; null: there is no such dialog. Valid until the next turn of the main
// loop.
using DialogLookup =
    std::function<const call::Dialog*(std::string_view call_id, std::string_view tag)>;

// Whoever gives it takes it back with an empty one.
void tell_dialogs(DialogLookup lookup);

[[nodiscard]] const call::Dialog* our_dialog(std::string_view call_id, std::string_view tag);

} // namespace revenant::sip
