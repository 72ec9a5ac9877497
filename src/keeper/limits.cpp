#include "keeper/limits.hpp"

#include <algorithm>
#include <climits>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "keeper/fd_store.hpp"

namespace revenant::keeper {

namespace {

constexpr rlim_t wanted_held = 25'000;
// Room above what is held: one message's worth of descriptors (253), and our own.
constexpr rlim_t spare = 300;
constexpr rlim_t own = 16;
constexpr rlim_t wanted_limit = FdStore::first + wanted_held + spare;

rlimit read_limit() {
    rlimit limit{};
    static_cast<void>(::getrlimit(RLIMIT_NOFILE, &limit));
    return limit;
}

} // namespace

void prepare_descriptors() {
    int fd = 0;
    do {
        fd = ::open("/dev/null", O_RDWR); // fills what of 0, 1 and 2 is closed
    } while (fd >= 0 && fd < FdStore::first);
    ::close_range(FdStore::first, UINT_MAX, 0);

    rlimit limit = read_limit();
    if (limit.rlim_cur >= wanted_limit) {
        return;
    }
    const rlimit more{.rlim_cur = wanted_limit, .rlim_max = std::max(limit.rlim_max, wanted_limit)};
    if (::setrlimit(RLIMIT_NOFILE, &more) != 0) { // only root may raise the second
        limit.rlim_cur = limit.rlim_max;
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    }
}

std::size_t held_max() {
    const rlim_t limit = std::clamp(read_limit().rlim_cur, FdStore::first + spare, wanted_limit);
    return limit - FdStore::first - spare;
}

int own_descriptors() {
    return static_cast<int>(FdStore::first + held_max() + spare - own);
}

} // namespace revenant::keeper
