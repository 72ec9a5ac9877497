#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "app/service_manager.hpp"
#include "revenant/base/fd.hpp"

using namespace revenant;

namespace {

// Variables of the environment, for as long as it lives.
class Variables {
public:
    Variables(std::initializer_list<std::pair<const char*, std::string>> all) {
        for (const auto& [name, value] : all) {
            names_.emplace_back(name);
            ::setenv(name, value.c_str(), 1);
        }
    }

    Variables(const Variables&) = delete;
    Variables& operator=(const Variables&) = delete;

    ~Variables() {
        for (const std::string& name : names_) {
            ::unsetenv(name.c_str());
        }
    }

private:
    std::vector<std::string> names_;
};

// The manager's end: bound to a path, or to an abstract name that begins with '@'.
base::Fd bound(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(name, std::begin(address.sun_path));
    if (name.front() == '@') {
        address.sun_path[0] = '\0';
    }
    base::Fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() +
                                             (name.front() == '/'));
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    return fd;
}

struct Heard {
    std::string text;
    base::Fd fd;
};

Heard hear(const base::Fd& manager) {
    std::array<char, 256> buffer{};
    alignas(cmsghdr) std::array<char, 64> control{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(manager.get(), &message, MSG_CMSG_CLOEXEC);
    REQUIRE(length >= 0);
    int fd = -1;
    if (const cmsghdr* const header = CMSG_FIRSTHDR(&message)) {
        REQUIRE(header->cmsg_type == SCM_RIGHTS);
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    }
    return {.text = std::string{buffer.data(), static_cast<std::size_t>(length)},
            .fd = base::Fd{fd}};
}

std::uint64_t inode(int fd) {
    struct stat status {};

    REQUIRE(::fstat(fd, &status) == 0);
    return status.st_ino;
}

std::string own_pid() {
    return std::to_string(::getpid());
}

} // namespace

TEST_CASE("the service manager hears what it is told, and gets the descriptor that comes with it") {
    const std::string path = std::filesystem::temp_directory_path() / ("manager-" + own_pid());
    for (const std::string& name : {"@manager-" + own_pid(), path}) {
        const Variables variables{{"NOTIFY_SOCKET", name}};
        const base::Fd manager = bound(name);
        const base::Fd passed{::memfd_create("passed", MFD_CLOEXEC)};
        CHECK(app::tell_manager("READY=1\nSTATUS=in service"));
        CHECK(app::tell_manager("FDSTORE=1\nFDNAME=one", passed.get()));
        CHECK(hear(manager).text == "READY=1\nSTATUS=in service");
        const Heard store = hear(manager);
        CHECK(store.text == "FDSTORE=1\nFDNAME=one");
        REQUIRE(store.fd);
        CHECK(inode(store.fd.get()) == inode(passed.get()));
        const base::Fd own = app::connect_to_manager();
        REQUIRE(own);
        CHECK(::send(own.get(), "WATCHDOG=1", 10, 0) == 10);
        CHECK(hear(manager).text == "WATCHDOG=1");
    }
    std::filesystem::remove(path);
}

TEST_CASE("a service manager that has bound its socket anew is heard of again") {
    const std::string path = std::filesystem::temp_directory_path() / ("manager-" + own_pid());
    const Variables variables{{"NOTIFY_SOCKET", path}};
    for (int i = 0; i < 2; ++i) {
        const base::Fd manager = bound(path);
        CHECK(app::tell_manager("READY=1"));
        CHECK(hear(manager).text == "READY=1");
        std::filesystem::remove(path);
    }
    CHECK_FALSE(app::tell_manager("READY=1"));
}

TEST_CASE("nobody is told where no service manager is named") {
    CHECK_FALSE(app::tell_manager("READY=1"));
    for (const std::string& name :
         {std::string{}, std::string{"@"}, std::string{"relative"}, "/" + std::string(200, 'x')}) {
        const Variables variables{{"NOTIFY_SOCKET", name}};
        CHECK_FALSE(app::tell_manager("READY=1"));
        CHECK_FALSE(app::connect_to_manager());
    }
}

TEST_CASE("descriptors are handed to the process that the variables name, each under its name") {
    using Names = std::vector<std::string>;
    std::vector<int> above; // all up to 6 are open
    for (int fd = 0; fd <= 6;) {
        fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        above.push_back(fd);
    }
    const auto names = [](const std::string& pid, const std::string& count,
                          const std::string& text) {
        const Variables variables{
            {"LISTEN_PID", pid}, {"LISTEN_FDS", count}, {"LISTEN_FDNAMES", text}};
        return app::handed_names();
    };
    CHECK(names(own_pid(), "3", "sip:rtp-1:rtcp-1") == Names{"sip", "rtp-1", "rtcp-1"});
    CHECK(names(own_pid(), "3", "sip::rtcp-1") == Names{"sip", "", "rtcp-1"});
    CHECK(names(own_pid(), "2", "sip") == Names{"sip", "unknown"});
    CHECK(names(own_pid(), "1", "sip:rtp-1") == Names{"sip"});
    CHECK(names(own_pid(), "2147483647", "sip").size() < 100'000); // as many as are open
    for (const char* count : {"0", "-1", "", "3x", "99999999999999999999"}) {
        CHECK(names(own_pid(), count, "sip").empty());
    }
    CHECK(names("1", "3", "sip:rtp-1:rtcp-1").empty());
    CHECK(names("", "3", "sip:rtp-1:rtcp-1").empty());
    std::ranges::for_each(above, ::close);
}

TEST_CASE("a watchdog's limit is for the process that the variables name") {
    const auto limit_us = [](const std::string& limit, const std::string& pid) {
        const Variables variables{{"WATCHDOG_USEC", limit}, {"WATCHDOG_PID", pid}};
        return app::watchdog_limit_us();
    };
    CHECK(app::watchdog_limit_us() == 0);
    CHECK(limit_us("2000000", own_pid()) == 2'000'000);
    CHECK(limit_us("2000000", "") == 2'000'000);
    CHECK(limit_us("2000000", "1") == 0);
    CHECK(limit_us("18446744073709551615", own_pid()) == 0); // "infinity"
    CHECK(limit_us("2s", own_pid()) == 0);
}
