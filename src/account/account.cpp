#include "revenant/account/account.hpp"

#include <algorithm>
#include <string_view>

namespace revenant::account {

namespace {

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= name_max && is_alphanumeric(text.front()) &&
           std::ranges::all_of(
               text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

} // namespace revenant::account
