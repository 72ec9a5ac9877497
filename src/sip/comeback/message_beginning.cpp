#include "sip/comeback/message_beginning.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string_view>

namespace revenant::sip {

namespace {

// A letter, digit or mark of a method's name; all methods in use are upper case.
bool is_method_character(char c) {
    return std::isupper(static_cast<unsigned char>(c)) != 0 ||
           std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

// As far as the shorter of them goes.
bool agree(std::string_view text, std::string_view wanted) {
    const std::size_t length = std::min(text.size(), wanted.size());
    return text.substr(0, length) == wanted.substr(0, length);
}

} // namespace

Beginning judge(std::string_view bytes) {
    const std::size_t start = bytes.find_first_not_of("\r\n");
    if (start == std::string_view::npos) {
        return Beginning::unclear;
    }
    bytes.remove_prefix(start);
    if (agree(bytes, "SIP/2.0 ")) {
        return Beginning::of_message;
    }
    const auto end = std::ranges::find_if_not(bytes, is_method_character);
    const auto method_length = static_cast<std::size_t>(end - bytes.begin());
    if (method_length == 0 || method_length > 20) {
        return Beginning::of_nothing_known;
    }
    bytes.remove_prefix(method_length);
    const bool is_request =
        agree(bytes, " sip:") || agree(bytes, " sips:") || agree(bytes, " tel:");
    return is_request ? Beginning::of_message : Beginning::of_nothing_known;
}

} // namespace revenant::sip
