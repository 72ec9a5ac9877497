#include <algorithm>
#include <cstddef>
#include <string_view>

#include "revenant/account/account.hpp"

namespace revenant::account {

namespace {

constexpr std::size_t name_length_max = 64;

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

} // namespace

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= name_length_max && is_alphanumeric(text.front()) &&
           std::ranges::all_of(
               text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

} // namespace revenant::account
