#include "sip/sofia/our_dialogs.hpp"

#include <string_view>
#include <utility>

#include "revenant/call/dialog.hpp"

namespace revenant::sip {

namespace {

DialogLookup& lookup() {
    static DialogLookup one;
    return one;
}

} // namespace

void tell_dialogs(DialogLookup lookup_of_ours) {
    lookup() = std::move(lookup_of_ours);
}

const call::Dialog* our_dialog(std::string_view call_id, std::string_view tag) {
    return lookup() ? lookup()(call_id, tag) : nullptr;
}

} // namespace revenant::sip
