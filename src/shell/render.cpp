#include <cstddef>
#include <cstdint>
#include <ctime>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "revenant/base/clock.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::shell {

namespace {

std::string_view colour_code(Tone tone) {
    switch (tone) {
    case Tone::plain: return "";
    case Tone::good: return "\033[32m";
    case Tone::attention: return "\033[33m";
    case Tone::bad: return "\033[31m";
    case Tone::faint: return "\033[2m";
    }
    return "";
}

std::string human(const Notice& notice, bool colour) {
    const std::string_view code = colour ? colour_code(notice.tone) : "";
    std::string out;
    std::string_view rest = notice.text;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        const std::string line =
            base::printable(rest.substr(0, end), std::numeric_limits<std::size_t>::max());
        // The colour is set for each line: what else is on the screen never takes it on.
        out.append(code).append(line).append(code.empty() ? "" : "\033[0m").push_back('\n');
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return out;
}

std::string rfc3339(std::int64_t real_ms) {
    const std::time_t seconds = real_ms / 1000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       real_ms % 1000);
}

// JSON lets DEL, C1, line separators and direction overrides stand as they are. A terminal or a
// log viewer does not, so they are escaped too. `json` is valid UTF-8.
std::string with_escapes(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    const auto byte = [&](std::size_t i) {
        return i < json.size() ? static_cast<unsigned char>(json[i]) : 0U;
    };
    for (std::size_t i = 0; i < json.size(); ++i) {
        std::uint32_t code = 0;
        std::size_t length = 1;
        if (byte(i) == 0x7F) {
            code = 0x7F;
        } else if (byte(i) == 0xC2 && byte(i + 1) < 0xA0) {
            code = byte(i + 1);
            length = 2;
        } else if (byte(i) == 0xE2 && (byte(i + 1) == 0x80 || byte(i + 1) == 0x81)) {
            const std::uint32_t c = 0x2000U + ((byte(i + 1) & 0x3FU) << 6U) + (byte(i + 2) & 0x3FU);
            const bool risky = c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
                               (c >= 0x2066 && c <= 0x2069);
            code = risky ? c : 0;
            length = risky ? 3 : 1;
        }
        if (code != 0) {
            out += fmt::format("\\u{:04x}", code);
        } else {
            out.push_back(json[i]);
        }
        i += length - 1;
    }
    return out;
}

std::string json(const Notice& notice) {
    nlohmann::ordered_json object;
    object["time"] = rfc3339(base::read_clock().real_ms());
    object["event"] = notice.event;
    if (notice.call) {
        object["call"] = *notice.call;
    }
    if (!notice.text.empty()) {
        object["text"] = notice.text;
    }
    for (const auto& [key, value] : notice.fields) {
        if (!object.contains(key)) {
            std::visit([&, &name = key](const auto& v) { object[name] = v; }, value);
        }
    }
    return with_escapes(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) +
           "\n";
}

} // namespace

std::string rendered(const Notice& notice, Format format, bool colour) {
    switch (format) {
    case Format::human: return human(notice, colour);
    case Format::json: return json(notice);
    }
    return {};
}

} // namespace revenant::shell
