#include "shell/values.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::shell {

namespace {

constexpr std::size_t codecs_max = 16;
constexpr std::size_t uri_length_max = 1024;
constexpr std::size_t display_name_length_max = 200;
constexpr std::size_t state_name_length_max = 200; // NAME_MAX is 255

// "--listen takes ADDR:PORT…, not 'foo'"
tl::unexpected<base::Error>
wrong(std::string_view name, std::string_view takes, std::string_view text) {
    return base::fail(base::Errc::bad_input, std::string{name} + " takes " + std::string{takes} +
                                                 ", not '" + base::printable(text, 80) + "'");
}

bool is_plain(std::string_view text) {
    return std::ranges::none_of(
        text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

bool is_address(int family, std::string_view text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(family, std::string{text}.c_str(), bytes.data()) == 1;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t end = text.find(separator);
        out.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return out;
        }
        text.remove_prefix(end + 1);
    }
}

// "ADDR", "ADDR:PORT", "[V6]" or "[V6]:PORT" into the address without brackets and the port's
// text. False if the brackets are wrong.
bool split_host(std::string_view text, std::string_view& address, std::string_view& port) {
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) {
            return false;
        }
        address = text.substr(1, close - 1);
        port = text.substr(close + 1);
        if (!is_address(AF_INET6, address) || (!port.empty() && port.front() != ':')) {
            return false;
        }
    } else {
        const std::size_t colon = std::min(text.find(':'), text.size());
        address = text.substr(0, colon);
        port = text.substr(colon);
        if (!is_address(AF_INET, address)) {
            return false;
        }
    }
    return port != ":";
}

} // namespace

base::Result<std::string> read_uri(std::string_view name, std::string_view text) {
    const bool scheme = base::equals_ignoring_case(text.substr(0, 4), "sip:");
    if (!scheme || text.size() == 4 || text.size() > uri_length_max || !is_plain(text)) {
        return wrong(name, "a SIP URI without blanks, like sip:alice@example.org", text);
    }
    return std::string{text};
}

base::Result<std::pair<std::string, std::string>> read_aor(std::string_view name,
                                                           std::string_view text) {
    constexpr std::string_view takes =
        R"(URI or "NAME" <URI>, like "Alice" <sip:alice@example.org>)";
    const std::size_t open = text.rfind('<');
    if (open == std::string_view::npos) {
        return read_uri(name, text).map([](std::string uri) {
            return std::pair{std::string{}, std::move(uri)};
        });
    }
    std::string_view display = base::trim(text.substr(0, open));
    const bool is_quoted =
        display.size() >= 2 && display.starts_with('"') && display.ends_with('"');
    if (is_quoted) {
        display = display.substr(1, display.size() - 2);
    }
    // A backslash or a quote within would have to be escaped; nobody's name has one.
    const bool is_plain_name = base::printable(display, display.size() + 1) == display &&
                               display.find_first_of("\"\\<>") == std::string_view::npos;
    if (!text.ends_with('>') || !is_plain_name || display.size() > display_name_length_max) {
        return wrong(name, takes, text);
    }
    return read_uri(name, text.substr(open + 1, text.size() - open - 2))
        .map([display](std::string uri) {
            return std::pair{std::string{display}, std::move(uri)};
        });
}

base::Result<Listen> read_listen(std::string_view name, std::string_view text) {
    constexpr std::string_view takes =
        "ADDR:PORT[;transport=udp|tcp] with a numeric address, like 192.0.2.1:5060 or [::1]:5060";
    const std::size_t semicolon = std::min(text.find(';'), text.size());
    const std::string_view parameter = text.substr(semicolon);
    std::string_view address;
    std::string_view port;
    if (!split_host(text.substr(0, semicolon), address, port)) {
        return wrong(name, takes, text);
    }
    Listen listen{.address = std::string{address}, .port = 5060, .transport = {}};
    if (!port.empty()) {
        const auto number = base::to_u32(port.substr(1));
        if (!number || *number > 65'535) {
            return wrong(name, "a port from 1 to 65535, or 0 for one that is free", text);
        }
        listen.port = static_cast<std::uint16_t>(*number);
    }
    if (base::equals_ignoring_case(parameter, ";transport=udp")) {
        listen.transport = call::Transport::udp;
    } else if (base::equals_ignoring_case(parameter, ";transport=tcp")) {
        listen.transport = call::Transport::tcp;
    } else if (!parameter.empty()) {
        return wrong(name, "transport=udp or transport=tcp after the ';'", text);
    }
    return listen;
}

base::Result<Resume> read_resume(std::string_view name, std::string_view text) {
    if (text == "auto") {
        return Resume::automatic;
    }
    if (text == "ask") {
        return Resume::ask;
    }
    if (text == "never") {
        return Resume::never;
    }
    return wrong(name, "auto, ask or never", text);
}

base::Result<std::uint32_t>
read_number(std::string_view name, std::string_view text, std::uint32_t min, std::uint32_t max) {
    const auto number = base::to_u32(text);
    if (!number || *number < min || *number > max) {
        return wrong(name, "a number from " + std::to_string(min) + " to " + std::to_string(max),
                     text);
    }
    return *number;
}

base::Result<std::pair<std::uint16_t, std::uint16_t>> read_rtp_ports(std::string_view name,
                                                                     std::string_view text) {
    const std::vector<std::string_view> ends = split(text, '-');
    const auto min = base::to_port(ends.front());
    const auto max = base::to_port(ends.back());
    if (ends.size() != 2 || !min || !max) {
        return wrong(name, "MIN-MAX, like 20000-29999", text);
    }
    // RTP on the even port, RTCP on the next (RFC 3550 §11).
    if (*min % 2 != 0 || *max <= *min) {
        return wrong(name, "an even MIN and a MAX above it: each call needs two ports", text);
    }
    return std::pair{*min, *max};
}

base::Result<std::vector<std::string>> read_codecs(std::string_view name, std::string_view text) {
    std::vector<std::string> codecs;
    for (const std::string_view piece : split(text, ',')) {
        const std::string_view codec = base::trim(piece);
        const bool valid = !codec.empty() && std::ranges::all_of(codec, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '.';
        });
        const bool repeated = std::ranges::any_of(codecs, [&](const std::string& other) {
            return base::equals_ignoring_case(other, codec);
        });
        if (!valid || repeated || codecs.size() == codecs_max) {
            return wrong(name, "codec names, each once, like PCMU,PCMA", text);
        }
        codecs.emplace_back(codec);
    }
    return codecs;
}

base::Result<std::pair<std::string, std::string>> read_audio(std::string_view name,
                                                             std::string_view text) {
    // A file name may contain a comma: what follows the last one is a sink only if it looks like
    // one.
    const std::size_t comma = text.rfind(',');
    const std::string_view last = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    const bool has_sink = last == "null" || last.starts_with("file:") ||
                          (comma != std::string_view::npos && !text.starts_with("file:"));
    const std::string_view source = has_sink ? text.substr(0, comma) : text;
    const std::string_view sink = has_sink ? last : "null";
    const bool control = std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (source.empty() || sink.empty() || control) {
        return wrong(name, "SOURCE[,SINK], like tone:440,null or file:in.wav,file:out.wav", text);
    }
    return std::pair{std::string{source}, std::string{sink}};
}

base::Result<base::CrashPoint> read_crash_point(std::string_view name, std::string_view text) {
    using base::Crash;
    constexpr std::array<std::pair<std::string_view, Crash>, 6> ways{{{"fault", Crash::fault},
                                                                      {"overflow", Crash::overflow},
                                                                      {"abort", Crash::abort},
                                                                      {"later", Crash::later},
                                                                      {"kill", Crash::kill},
                                                                      {"hang", Crash::hang}}};
    const std::vector<std::string_view> parts = split(text, ':');
    const auto call = parts.size() > 1 ? base::to_u32(parts[1]) : std::nullopt;
    const auto* const how = std::ranges::find(ways, parts.size() > 2 ? parts[2] : "fault",
                                              &std::pair<std::string_view, Crash>::first);
    if (!call || parts.size() > 3 || how == ways.end()) {
        return wrong(name, "STEP:CALL[:fault|overflow|abort|later|kill|hang]", text);
    }
    return base::CrashPoint{.step = std::string{parts[0]}, .call = *call, .how = how->second};
}

base::Result<std::string> read_path(std::string_view name, std::string_view text) {
    if (text.empty()) {
        return wrong(name, "a path", text);
    }
    return std::string{text};
}

base::Result<std::string> read_fixed_path(std::string_view name, std::string_view text) {
    const std::string home = text.starts_with("~/") ? environment("HOME") : std::string{};
    if (home.starts_with('/')) {
        return home + std::string{text.substr(1)};
    }
    if (!text.starts_with('/')) {
        return wrong(name, "a path that begins with / or ~/", text);
    }
    return std::string{text};
}

base::Status fix_audio_path(std::string_view name, std::string& end) {
    constexpr std::string_view scheme = "file:";
    if (!end.starts_with(scheme)) {
        return {};
    }
    auto path = read_fixed_path(name, std::string_view{end}.substr(scheme.size()));
    if (!path) {
        return base::fail(std::move(path.error()));
    }
    end = std::string{scheme} + *path;
    return {};
}

std::optional<bool> to_bool(std::string_view text) {
    if (text == "true" || text == "yes") {
        return true;
    }
    return text == "false" || text == "no" ? std::optional{false} : std::nullopt;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): before the threads
    return value == nullptr ? "" : value;
}

std::string state_name(const Options& options) {
    std::string text = options.aor.substr(std::min<std::size_t>(options.aor.size(), 4)); // "sip:"
    if (text.empty() && !options.listen.empty()) {
        text = options.listen.front().address + "-" + std::to_string(options.listen.front().port);
    }
    std::string name;
    for (const char c : text.substr(0, state_name_length_max)) {
        const bool is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '@' || c == '-' ||
                             (c == '.' && !name.empty());
        name += is_safe ? c : '_';
    }
    return name.empty() ? "default" : name;
}

} // namespace revenant::shell
