#include "app/commands/digits.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "revenant/base/text.hpp"

namespace revenant::app {

namespace {

// RFC 4733 §3.2 has the numbers of the events, which some send in place of the characters.
std::optional<char> digit_of(std::string_view signal) {
    constexpr std::string_view digits = "0123456789*#ABCD";
    if (signal.size() == 1) {
        const char one =
            signal[0] >= 'a' && signal[0] <= 'd' ? static_cast<char>(signal[0] - 32) : signal[0];
        return digits.find(one) == std::string_view::npos ? std::nullopt : std::optional{one};
    }
    const auto event = signal.size() == 2 ? base::to_u32(signal) : std::nullopt;
    return event && *event >= 10 && *event < digits.size() ? std::optional{digits[*event]}
                                                           : std::nullopt;
}

} // namespace

std::optional<char> digit_in(std::string_view info) {
    const std::size_t colon = info.find(": ");
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view whole = info.substr(0, colon);
    const std::string_view type = base::trim(whole.substr(0, whole.find(';')));
    std::string_view body = info.substr(colon + 2);
    if (base::equals_ignoring_case(type, "application/dtmf")) {
        return digit_of(base::trim(body));
    }
    if (!base::equals_ignoring_case(type, "application/dtmf-relay")) {
        return std::nullopt;
    }
    while (!body.empty()) {
        const std::size_t end = std::min(body.find('\n'), body.size());
        const std::string_view line = base::trim(body.substr(0, end));
        body.remove_prefix(std::min(end + 1, body.size()));
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos &&
            base::equals_ignoring_case(base::trim(line.substr(0, equals)), "signal")) {
            return digit_of(base::trim(line.substr(equals + 1)));
        }
    }
    return std::nullopt;
}

} // namespace revenant::app
