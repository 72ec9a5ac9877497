#include "shell/slurp.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include <unistd.h>

#include "revenant/base/result.hpp"

namespace revenant::shell {

base::Result<std::string> slurp(int fd, std::size_t size_max) {
    std::string text;
    std::array<char, 16384> piece{};
    while (true) {
        const ssize_t count = ::read(fd, piece.data(), piece.size());
        if (count == 0) {
            return text;
        }
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return base::fail(base::Errc::io, std::generic_category().message(errno));
        }
        text.append(piece.data(), static_cast<std::size_t>(count));
        if (text.size() > size_max) {
            return base::fail(base::Errc::bad_input,
                              "it is longer than " + std::to_string(size_max) + " bytes");
        }
    }
}

} // namespace revenant::shell
