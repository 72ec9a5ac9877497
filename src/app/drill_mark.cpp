#include "app/drill_mark.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"

namespace revenant::app {

namespace {

constexpr std::size_t mark_size_max = 128;
constexpr std::int64_t time_max = 253'402'300'800'000; // the year 10000
constexpr std::string_view first_line = "revenant drill 2";

// The line `name value`, taken from the front of `text`; nothing if it is another.
std::optional<std::uint64_t> take(std::string_view& text, std::string_view name) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos || !line.starts_with(name) ||
        line.substr(name.size(), 1) != " ") {
        return std::nullopt;
    }
    text.remove_prefix(end + 1);
    line.remove_prefix(name.size() + 1);
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    const bool is_whole = error == std::errc{} && rest == line.data() + line.size();
    return is_whole ? std::optional{value} : std::nullopt;
}

} // namespace

std::string encode(const DrillMark& mark) {
    return fmt::format("{}\ncall {}\nkilled_ms {}\npackets {}\n", first_line, mark.call,
                       mark.killed_ms, mark.packets);
}

std::optional<DrillMark> read_drill_mark(std::string_view text) {
    if (text.size() > mark_size_max || !text.starts_with(first_line) ||
        text.substr(first_line.size(), 1) != "\n") {
        return std::nullopt;
    }
    text.remove_prefix(first_line.size() + 1);
    const auto number = take(text, "call");
    const auto killed_ms = number ? take(text, "killed_ms") : std::nullopt;
    const auto packets = killed_ms ? take(text, "packets") : std::nullopt;
    if (!packets || !text.empty() || *number == 0 || *number > call::number_max ||
        *killed_ms > static_cast<std::uint64_t>(time_max)) {
        return std::nullopt;
    }
    return DrillMark{.call = static_cast<call::Number>(*number),
                     .killed_ms = static_cast<std::int64_t>(*killed_ms),
                     .packets = *packets};
}

base::Status write_drill_file(const std::string& path, const DrillMark& mark) {
    const std::string content = encode(mark);
    static_cast<void>(::unlink(path.c_str()));
    const base::Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!file || ::write(file.get(), content.data(), content.size()) !=
                     static_cast<ssize_t>(content.size())) {
        return base::fail(base::Errc::io,
                          fmt::format("cannot write {}: {}", path, std::strerror(errno)));
    }
    return {};
}

std::optional<std::string> read_drill_file(const std::string& path) {
    const base::Fd file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (!file) {
        return std::nullopt;
    }
    std::array<char, mark_size_max + 1> bytes{};
    const ssize_t size = ::read(file.get(), bytes.data(), bytes.size());
    return std::string{bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

} // namespace revenant::app
