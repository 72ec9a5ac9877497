#include "keeper/fd_store.hpp"

#include <algorithm>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace revenant::keeper {

namespace {

// Both have the same inode. Two opens of one file are different open files; two sockets never
// share an inode, which decides where kcmp is not allowed (seccomp).
bool is_same_open_file(int a, int b, bool is_socket) {
    const pid_t self = ::getpid();
    const long order = ::syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
    return order >= 0 ? order == 0 : is_socket;
}

} // namespace

FdStore::~FdStore() {
    for (const Held& held : held_) {
        ::close(held.fd);
    }
}

bool FdStore::holds(int fd, const struct stat& status) const {
    return std::ranges::any_of(held_, [&](const Held& held) {
        return held.inode == status.st_ino && held.device == status.st_dev &&
               is_same_open_file(held.fd, fd, S_ISSOCK(status.st_mode));
    });
}

FdStore::Outcome FdStore::add(int fd, std::string_view name) {
    struct stat status {};

    static_cast<void>(::fstat(fd, &status)); // cannot fail: the kernel has just given us the fd
    if (holds(fd, status)) {
        ::close(fd);
        return Outcome::known;
    }
    const std::size_t colon = held_.empty() ? 0 : 1;
    const bool names_full = names_.size() + colon + name.size() > names_max;
    if (names_full || held_.size() >= held_max_) {
        ::close(fd);
        return names_full ? Outcome::names_full : Outcome::full;
    }
    arranged_ = arranged_ && fd == first + static_cast<int>(held_.size());
    names_.append(colon, ':').append(name);
    held_.push_back(
        {.fd = fd, .device = status.st_dev, .inode = status.st_ino, .name = std::string{name}});
    return Outcome::stored;
}

std::size_t FdStore::remove(std::string_view name) {
    const std::size_t removed = std::erase_if(held_, [name](const Held& held) {
        if (held.name != name) {
            return false;
        }
        ::close(held.fd);
        return true;
    });
    if (removed > 0) {
        arranged_ = held_.empty();
        join_names();
    }
    return removed;
}

void FdStore::join_names() {
    names_.clear();
    for (const Held& held : held_) {
        names_.append(&held == held_.data() ? 0 : 1, ':').append(held.name);
    }
}

bool FdStore::arrange() {
    if (arranged_) {
        return true;
    }
    const int count = static_cast<int>(held_.size());
    std::vector<Held*> occupants(held_.size(), nullptr); // who is at `first` + index now
    const auto occupant = [&](int fd) -> Held*& {
        return occupants[static_cast<std::size_t>(fd - first)];
    };
    for (Held& held : held_) {
        if (held.fd < first + count) {
            occupant(held.fd) = &held;
        }
    }
    int wanted = first;
    for (Held& held : held_) {
        if (held.fd != wanted) {
            if (Held* const other = occupant(wanted)) {
                const int aside = ::fcntl(wanted, F_DUPFD, first + count);
                if (aside < 0) {
                    return false;
                }
                other->fd = aside;
            }
            if (::dup2(held.fd, wanted) < 0) {
                return false;
            }
            ::close(held.fd);
            if (held.fd < first + count) {
                occupant(held.fd) = nullptr;
            }
            held.fd = wanted;
        }
        ++wanted;
    }
    arranged_ = true;
    return true;
}

} // namespace revenant::keeper
