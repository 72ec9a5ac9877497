#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "revenant/base/clock.hpp"
#include "revenant/base/overloaded.hpp"
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

// Most of what is said needs no escape at all; a document tree for it would cost a multiple.
void append_quoted(std::string& out, std::string_view text) {
    const bool is_plain = std::ranges::all_of(
        text, [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
    if (is_plain) {
        out.append(1, '"').append(text).append(1, '"');
    } else {
        using nlohmann::json;
        out += with_escapes(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
    }
}

// The members of one object; of two with the same name the first stands. Names are borrowed.
class Members {
public:
    explicit Members(std::size_t count) {
        names_.reserve(count);
        text_.reserve(count * usual_length);
    }

    void add(std::string_view name, const Value& value) {
        if (std::ranges::find(names_, name) != names_.end()) {
            return;
        }
        text_ += names_.empty() ? '{' : ',';
        names_.push_back(name);
        append_quoted(text_, name);
        text_ += ':';
        std::visit(base::Overloaded{
                       [this](const std::string& v) { append_quoted(text_, v); },
                       [this](std::int64_t v) { text_ += std::to_string(v); },
                       [this](bool v) { text_ += v ? "true" : "false"; },
                       [this](double v) { text_ += nlohmann::json(v).dump(); },
                   },
                   value);
    }

    [[nodiscard]] std::string object() && { return std::move(text_) + "}"; }

private:
    static constexpr std::size_t usual_length = 32; // of a member

    std::vector<std::string_view> names_;
    std::string text_;
};

std::string json(const Notice& notice) {
    Members members{4 + notice.fields.size()};
    members.add("time", rfc3339(base::read_clock().real_ms()));
    members.add("event", notice.event);
    if (notice.call) {
        members.add("call", std::int64_t{*notice.call});
    }
    if (!notice.text.empty()) {
        members.add("text", notice.text);
    }
    for (const auto& [name, value] : notice.fields) {
        members.add(name, value);
    }
    return std::move(members).object() + "\n";
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
