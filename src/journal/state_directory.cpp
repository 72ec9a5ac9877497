#include "journal/state_directory.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "journal/files.hpp"
#include "revenant/base/text.hpp"

namespace revenant::journal {

namespace {

using base::Errc;
using base::fail;

constexpr int pid_width = 10;

// Makes what is missing of the directories above `path`; the first that cannot be made is the error
// that helps a user.
base::Status make_parents(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
        const std::string parent = path.substr(0, slash);
        if (::mkdir(parent.c_str(), 0700) == 0 || errno == EEXIST) {
            continue;
        }
        const int error = errno;

        struct stat status {};

        if (::stat(parent.c_str(), &status) != 0) {
            return fail(system_error(error, fmt::format("cannot make the directory {}", parent)));
        }
    }
    return {};
}

// The pid that the holder of the lock has written, made harmless for a terminal.
std::string holder(int lock) {
    std::array<char, 16> text{};
    const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
    const std::string_view read{text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    const auto pid = base::to_u32(base::trim(read));
    return pid ? fmt::format("pid {}", *pid) : "another process";
}

base::Result<base::Fd> take_lock(int root, const std::string& path) {
    base::Fd lock{::openat(root, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!lock) {
        return fail(system_error(errno, fmt::format("cannot open {}/lock", path)));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return fail(system_error(errno, fmt::format("cannot lock {}/lock", path)));
        }
        return fail(Errc::in_use,
                    fmt::format("state directory {} is in use by {}; end that one (quit or detach) "
                                "or give this one its own with --state DIR",
                                path, holder(lock.get())));
    }
    // For the text above only: whether the lock is held, the kernel knows. Every pid takes the same
    // room, because some disks take long to shorten a file.
    const std::string pid = fmt::format("{:<{}}\n", ::getpid(), pid_width);
    if (::pwrite(lock.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        return fail(system_error(errno, fmt::format("cannot write {}/lock", path)));
    }
    return lock;
}

// Records hold what must stay secret. The state directory itself may be shared with something else
// and is left as it is; this one is ours.
void keep_private(int dialogs) {
    struct stat status {};

    if (::fstat(dialogs, &status) == 0 && (status.st_mode & 0077U) != 0) {
        ::fchmod(dialogs, 0700);
    }
}

} // namespace

base::Result<StateDirectory> open_state_directory(const std::string& path) {
    if (path.empty()) {
        return fail(Errc::bad_input, "the state directory has no name; give one with --state DIR");
    }
    if (const base::Status made = make_parents(path); !made) {
        return fail(made.error());
    }
    base::Result<base::Fd> root = open_directory(AT_FDCWD, path);
    if (!root) {
        return fail(root.error());
    }
    base::Result<base::Fd> lock = take_lock(root->get(), path);
    if (!lock) {
        return fail(lock.error());
    }
    base::Result<base::Fd> dialogs = open_directory(root->get(), "dialogs");
    if (!dialogs) {
        return fail(dialogs.error().code, fmt::format("in {}: {}", path, dialogs.error().context));
    }
    keep_private(dialogs->get());
    return StateDirectory{
        .root = *std::move(root), .dialogs = *std::move(dialogs), .lock = *std::move(lock)};
}

} // namespace revenant::journal
