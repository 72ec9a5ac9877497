#include "revenant/base/clock.hpp"

#include <cstdint>
#include <ctime>
#include <fstream>
#include <string>

namespace revenant::base {

namespace {

std::int64_t read_ns(clockid_t clock) {
    timespec t{};
    ::clock_gettime(clock, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

} // namespace

Now read_clock() {
    return Now{.boot_ns = read_ns(CLOCK_BOOTTIME), .real_ns = read_ns(CLOCK_REALTIME)};
}

std::int64_t unstepped_ns() {
    return unstepped_ns(read_ns(CLOCK_BOOTTIME));
}

std::int64_t unstepped_ns(std::int64_t boot_ns) {
    static const std::int64_t offset_ns = [] {
        const Now now = read_clock();
        return now.real_ns - now.boot_ns;
    }();
    return offset_ns + boot_ns;
}

const std::string& boot_id() {
    static const std::string id = [] {
        std::string line;
        std::ifstream file{"/proc/sys/kernel/random/boot_id"};
        std::getline(file, line);
        return line;
    }();
    return id;
}

} // namespace revenant::base
