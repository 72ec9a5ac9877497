#include "app/kept_configuration.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/service_manager.hpp"
#include "revenant/app/phone.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

namespace {

constexpr int sealed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr off_t size_max = 131'072; // twice a file, for its path

std::optional<std::uint32_t> number_in(const char* variable) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? base::to_u32(text) : std::nullopt;
}

// Where the keeper has put it, or -1. Keeping takes all descriptors over later.
int held_descriptor() {
    const std::vector<std::string> names = handed_names();
    const auto found = std::ranges::find(names, configuration_name);
    return found == names.end() ? -1 : first_handed_fd + static_cast<int>(found - names.begin());
}

} // namespace

base::Fd stored(const shell::Configuration& configuration) {
    const std::string bytes = configuration.path + '\0' + configuration.text;
    base::Fd fd{::memfd_create(configuration_name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (!fd ||
        ::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::fcntl(fd.get(), F_ADD_SEALS, sealed) != 0) {
        return {};
    }
    return fd;
}

std::optional<shell::Configuration> read_stored(int fd) {
    struct stat status {};

    const int seals = fd >= 0 ? ::fcntl(fd, F_GET_SEALS) : -1;
    if (seals < 0 || (seals & sealed) != sealed || ::fstat(fd, &status) != 0 ||
        status.st_size > size_max) {
        return std::nullopt;
    }
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    const bool is_read = ::pread(fd, bytes.data(), bytes.size(), 0) == status.st_size;
    const std::size_t end = bytes.find('\0');
    if (!is_read || end == std::string::npos) {
        return std::nullopt;
    }
    return shell::Configuration{.path = bytes.substr(0, end), .text = bytes.substr(end + 1)};
}

std::optional<shell::Configuration> kept_configuration() {
    return read_stored(held_descriptor());
}

bool has_keeper() {
    return number_in("KEEPER_PID") == static_cast<std::uint32_t>(::getppid());
}

} // namespace revenant::app
