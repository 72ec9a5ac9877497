#include "journal/files.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace revenant::journal {

namespace {

using base::Errc;
using base::fail;

// What a user can do about it; empty when nothing better than the error itself is known.
std::string_view advice(int error_number) {
    switch (error_number) {
    case ENOSPC: return "; free some space or use --state DIR on another disk";
    case EDQUOT: return "; free some of your quota or use --state DIR on another disk";
    case EFBIG: return "; raise the limit on file sizes (ulimit -f)";
    case EROFS: return "; make the file system writable or use --state DIR elsewhere";
    case EACCES:
    case EPERM: return "; it must belong to the user that runs revenant, or use --state DIR";
    case ENOENT:
    case ESTALE: return "; the directory was removed or replaced: restart to make it again";
    case EMFILE:
    case ENFILE: return "; raise the limit on open files (ulimit -n)";
    case EIO: return "; the disk may be failing, see the kernel's log";
    default: return "";
    }
}

int open_retrying(int directory, const std::string& name, int flags) {
    while (true) {
        const int fd = ::openat(directory, name.c_str(), flags, 0600);
        if (fd >= 0 || errno != EINTR) {
            return fd;
        }
    }
}

// Returns 0 or an errno.
int write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return 0;
}

// To write the whole of the file anew. Returns no descriptor, and errno, when that cannot be.
base::Fd open_for_writing(int directory, const std::string& name, struct stat& status) {
    constexpr int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    base::Fd fd{open_retrying(directory, name, flags)};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        return {};
    }
    if (status.st_nlink > 1) {
        if (::unlinkat(directory, name.c_str(), 0) != 0) {
            return {};
        }
        fd.reset(open_retrying(directory, name, flags | O_EXCL));
        status.st_size = 0;
    }
    return fd;
}

// Returns 0 or an errno. Reads one byte past `size_max` to see that there is more.
int read_all(int fd, std::size_t size_hint, std::size_t size_max, std::string& text) {
    std::size_t size = 0;
    text.resize(size_hint + 1);
    while (size <= size_max) {
        if (size == text.size()) {
            text.resize(size * 2);
        }
        const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
        if (got < 0 && errno != EINTR) {
            return errno;
        }
        const std::size_t added = got > 0 ? static_cast<std::size_t>(got) : 0;
        size += added;
        // Less than asked for, and as long as it said: there is no more to ask for.
        if (got == 0 || (size >= size_hint && size < text.size())) {
            break;
        }
    }
    text.resize(size);
    return 0;
}

} // namespace

base::Error system_error(int error_number, std::string_view what) {
    const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
    return {.code = full ? Errc::no_space : Errc::io,
            .context = fmt::format("{}: {}{}", what, std::generic_category().message(error_number),
                                   advice(error_number))};
}

base::Result<base::Fd> open_directory(int directory, const std::string& name) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    base::Fd fd{open_retrying(directory, name, flags)};
    if (!fd && errno == ENOENT) {
        if (::mkdirat(directory, name.c_str(), 0700) != 0 && errno != EEXIST) {
            return fail(system_error(errno, fmt::format("cannot make the directory {}", name)));
        }
        fd.reset(open_retrying(directory, name, flags));
    }
    if (!fd) {
        return fail(system_error(errno, fmt::format("cannot open the directory {}", name)));
    }
    return fd;
}

base::Status
write_file(int directory, const std::string& name, std::string_view text, bool durable) {
    struct stat before {};

    base::Fd fd = open_for_writing(directory, name, before);
    if (!fd) {
        return fail(system_error(errno, fmt::format("cannot open {} for writing", name)));
    }
    int error = write_all(fd.get(), text);
    // Not O_TRUNC: an inode that keeps its pages is several times cheaper to fill again, and to
    // shorten a file may have to wait until the disk has what was written before.
    const auto size = static_cast<off_t>(text.size());
    if (error == 0 && before.st_size > size && ::ftruncate(fd.get(), size) != 0) {
        error = errno;
    }
    if (error == 0 && durable && ::fdatasync(fd.get()) != 0) {
        error = errno;
    }
    // Some file systems say only here that the disk is full. The descriptor is gone in any case.
    if (::close(fd.release()) != 0 && error == 0 && errno != EINTR) {
        error = errno;
    }
    if (error != 0) {
        return fail(system_error(error, fmt::format("cannot write {}", name)));
    }
    return {};
}

base::Result<Placed>
put_in_place(int directory, const std::string& draft, const std::string& name) {
    if (::renameat2(directory, draft.c_str(), directory, name.c_str(), RENAME_EXCHANGE) == 0) {
        return Placed::exchanged;
    }
    // Nothing has the name yet, or the file system cannot exchange.
    if (::renameat(directory, draft.c_str(), directory, name.c_str()) == 0) {
        return Placed::alone;
    }
    return fail(system_error(errno, fmt::format("cannot rename {} to {}", draft, name)));
}

base::Status sync_directory(int directory) {
    if (::fsync(directory) != 0) {
        return fail(system_error(errno, "cannot write the directory to the disk"));
    }
    return {};
}

Read read_file(int directory, const std::string& name, std::size_t size_max, std::string& text) {
    // O_NONBLOCK: a FIFO without a writer must not stop us.
    const base::Fd fd{
        open_retrying(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (!fd) {
        const Content content = errno == ENOENT  ? Content::absent
                                : errno == ELOOP ? Content::foreign
                                                 : Content::unreadable;
        return {.content = content, .error = system_error(errno, "cannot open it")};
    }

    struct stat status {};

    if (::fstat(fd.get(), &status) != 0) {
        return {.content = Content::unreadable, .error = system_error(errno, "cannot look at it")};
    }
    if (!S_ISREG(status.st_mode)) {
        return {.content = Content::foreign, .error = {}};
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > size_max) {
        return {.content = Content::too_long, .error = {}};
    }
    if (const int error = read_all(fd.get(), size, size_max, text); error != 0) {
        return {.content = Content::unreadable, .error = system_error(error, "cannot read it")};
    }
    return {.content = text.size() > size_max ? Content::too_long : Content::whole, .error = {}};
}

} // namespace revenant::journal
