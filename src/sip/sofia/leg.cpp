#include "sip/sofia/leg.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "revenant/call/dialog.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

std::string tagged(const std::string& name_addr, const std::string& tag) {
    return tag.empty() ? name_addr : fmt::format("{};tag={}", name_addr, tag);
}

} // namespace

// SAFETY: nua delivers nothing to a destroyed handle, and the handle is destroyed with the Leg.
Leg::Leg(LegUser& user, Stack& stack, nua_t* nua, const call::Dialog& dialog)
    : user_{&user}, stack_{&stack}, number_{dialog.number},
      handle_{nua_handle(nua,
                         this,
                         SIPTAG_FROM_STR(tagged(dialog.local_uri, dialog.local_tag).c_str()),
                         SIPTAG_TO_STR(tagged(dialog.remote_uri, dialog.remote_tag).c_str()),
                         TAG_END())} {}

Leg::Leg(LegUser& user, Stack& stack, Handle fresh, call::Number number)
    : user_{&user}, stack_{&stack}, number_{number}, handle_{std::move(fresh)} {
    nua_handle_bind(handle_.get(), this);
}

} // namespace revenant::sip
