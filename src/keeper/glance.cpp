#include "keeper/glance.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace revenant::keeper {

namespace {

std::string read_of(pid_t pid, const char* name) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::string text(4096, '\0');
    const ssize_t size = fd < 0 ? 0 : ::read(fd, text.data(), text.size());
    if (fd >= 0) {
        ::close(fd);
    }
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
}

template <typename Number>
std::optional<Number> number_at(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} ? std::optional{number} : std::nullopt;
}

} // namespace

Glance glance_at(pid_t pid) {
    Glance glance;
    // "4711 (any) name) S …": the name may hold anything.
    const std::string stat = read_of(pid, "stat");
    const std::size_t name_end = stat.rfind(')');
    if (name_end != std::string::npos && name_end + 2 < stat.size()) {
        glance.state = stat[name_end + 2];
    }
    constexpr std::string_view tracer = "\nTracerPid:";
    const std::string status = read_of(pid, "status");
    if (const std::size_t at = status.find(tracer); at != std::string::npos) {
        const auto by = number_at<pid_t>(std::string_view{status}.substr(at + tracer.size()));
        glance.traced = by.value_or(0) != 0;
    }
    if (const auto ran_ns = number_at<long long>(read_of(pid, "schedstat"))) {
        glance.ran = std::chrono::nanoseconds{*ran_ns};
    }
    return glance;
}

} // namespace revenant::keeper
