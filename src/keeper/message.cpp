#include "keeper/message.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace revenant::keeper {

namespace {

// 1 ms to a day; nothing else.
std::optional<std::chrono::microseconds> read_limit(std::string_view text) {
    constexpr std::int64_t least = 1000;
    constexpr std::int64_t most = 86'400'000'000;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        return std::nullopt;
    }
    return std::chrono::microseconds{value};
}

void read_assignment(std::string_view line, Message& message) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
        return;
    }
    const std::string_view key = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    const bool yes = value == "1";
    if (key == "READY") {
        message.ready |= yes;
    } else if (key == "FDSTORE") {
        message.store |= yes;
    } else if (key == "FDSTOREREMOVE") {
        message.remove |= yes;
    } else if (key == "BARRIER") {
        message.barrier |= yes;
    } else if (key == "WATCHDOG") {
        message.alive |= yes;
        message.stuck |= value == "trigger";
    } else if (key == "WATCHDOG_USEC") {
        message.limit = read_limit(value);
    } else if (key == "FDNAME" && !message.name) {
        message.name = value;
    } else if (key == "STATUS" && !message.status) {
        message.status = value;
    }
}

} // namespace

std::optional<Message> read_message(std::string_view text) {
    if (text.ends_with('\0')) {
        text.remove_suffix(1); // some clients send the string with its terminator
    }
    if (text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    Message message;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        read_assignment(text.substr(0, end), message);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return message;
}

bool is_valid_name(std::string_view name) {
    return name.size() <= name_max &&
           std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~' && c != ':'; });
}

} // namespace revenant::keeper
