// The credentials file: REALM:USER:PASSWORD lines that only their owner may read.
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/sip/settings.hpp"

namespace revenant::sip {

namespace {

constexpr off_t size_max = 65'536;

base::Result<Credentials> read_line(std::string_view line) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || second == first + 1) {
        return base::fail(base::Errc::bad_input, "expected REALM:USER:PASSWORD");
    }
    for (const char c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == '"') {
            return base::fail(base::Errc::bad_input, "a quote or a control character");
        }
    }
    return Credentials{.realm = std::string{line.substr(0, first)},
                       .user = std::string{line.substr(first + 1, second - first - 1)},
                       .password = std::string{line.substr(second + 1)}};
}

} // namespace

base::Result<std::vector<Credentials>> read_credentials(const std::string& path) {
    const base::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

    struct stat about {};

    if (!file || ::fstat(file.get(), &about) != 0) {
        return base::fail(base::Errc::io, fmt::format("cannot read credentials from {}: {}", path,
                                                      std::strerror(errno)));
    }
    if (!S_ISREG(about.st_mode) || about.st_size > size_max) {
        return base::fail(base::Errc::bad_input,
                          fmt::format("{} is no credentials file: a regular file of at most "
                                      "64 KiB is expected",
                                      path));
    }
    if ((about.st_mode & 077U) != 0) {
        return base::fail(
            base::Errc::bad_input,
            fmt::format("others may read {}; make it yours alone: chmod 600 {}", path, path));
    }
    std::string text(static_cast<std::size_t>(about.st_size), '\0');
    const ssize_t got = ::read(file.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);

    std::vector<Credentials> all;
    std::size_t number = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = base::trim(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        ++number;
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        auto one = read_line(line);
        if (!one) {
            // The line itself is not repeated: it may hold a password.
            return base::fail(base::Errc::bad_input,
                              fmt::format("{}:{}: {}", path, number, one.error().context));
        }
        all.push_back(std::move(*one));
    }
    return all;
}

} // namespace revenant::sip
