#include "revenant/base/descriptors.hpp"

#include <algorithm>
#include <cstddef>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "revenant/base/fd.hpp"

namespace revenant::base {

namespace {

constexpr rlim_t table_size = 8'192; // 64 kB of the kernel's memory

} // namespace

void make_room_for_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    rlimit whole = limit;
    whole.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &whole) == 0) {
        limit = whole;
    }
    // A descriptor with the highest number makes the table; it keeps its size when that is closed.
    const Fd any{::eventfd(0, EFD_CLOEXEC)};
    const auto highest = static_cast<int>(std::min(limit.rlim_cur, table_size)) - 1;
    const Fd last{::fcntl(any.get(), F_DUPFD_CLOEXEC, highest)};
}

std::size_t descriptors_left() {
    rlimit limit{};
    // A new one gets the lowest free number: no more are free than from there to the end.
    const Fd lowest{::eventfd(0, EFD_CLOEXEC)};
    if (!lowest || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    const auto number = static_cast<rlim_t>(lowest.get());
    return limit.rlim_cur > number ? limit.rlim_cur - number : 0;
}

} // namespace revenant::base
