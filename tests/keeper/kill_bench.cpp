// How long a killed program is gone: SIGKILL -> main() of the next one, under the keeper and for
// a parent that does nothing but waitpid, vfork and exec (the floor).
//
// kill_bench KEEPER KILLS [STORED-SOCKETS]. Linked statically: it is also the program that is
// killed, and stamps a shared page in main(), which is later than execve by the kernel's loading.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Page {
    std::atomic<std::int64_t> born_ns;
    std::atomic<int> pid;
    std::atomic<int> lives; // changes last
};

std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

Page* map_page(const char* path) {
    const int fd = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(Page)) != 0) {
        fail(path);
    }
    void* const memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (memory == MAP_FAILED) {
        fail("mmap");
    }
    return static_cast<Page*>(memory);
}

void store_socket() {
    const char* const address = std::getenv("NOTIFY_SOCKET");
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(address);
    std::memcpy(name.sun_path + 1, address + 1, length - 1);
    const int gift = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[] = "FDSTORE=1\nFDNAME=rtp\nFDPOLL=0";
    iovec vector{text, sizeof text - 1};
    alignas(cmsghdr) char controls[CMSG_SPACE(sizeof gift)] = {};
    msghdr header{};
    header.msg_name = &name;
    header.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = controls;
    header.msg_controllen = sizeof controls;
    cmsghdr* const control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof gift);
    std::memcpy(CMSG_DATA(control), &gift, sizeof gift);
    if (::sendmsg(fd, &header, 0) < 0) {
        fail("sendmsg");
    }
    ::close(fd);
    ::close(gift);
}

int live(const char* path, int sockets) {
    const std::int64_t born = now_ns();
    Page* const page = map_page(path);
    if (page->lives == 0) {
        for (int i = 0; i < sockets; ++i) {
            store_socket();
        }
    }
    page->born_ns = born;
    page->pid = ::getpid();
    ++page->lives;
    for (;;) {
        ::pause();
    }
}

pid_t spawn(char* const* command) {
    const pid_t child = ::vfork();
    if (child == 0) {
        ::execv(command[0], command);
        ::_exit(127);
    }
    return child;
}

void run(const char* label, char* const* command, const char* path, int kills, bool restart) {
    ::unlink(path);
    Page* const page = map_page(path);
    pid_t child = spawn(command);
    std::vector<double> times_ms;
    for (int life = 1;; ++life) {
        while (page->lives < life) {
            ::usleep(50);
        }
        if (life > 1) {
            times_ms.back() = static_cast<double>(page->born_ns) / 1e6 - times_ms.back();
        }
        if (life > kills) {
            break;
        }
        ::usleep(static_cast<useconds_t>(2000 + std::rand() % 3000));
        const pid_t victim = page->pid;
        times_ms.push_back(static_cast<double>(now_ns()) / 1e6);
        ::kill(victim, SIGKILL);
        if (restart) {
            ::waitpid(child, nullptr, 0);
            child = spawn(command);
        }
    }
    ::kill(child, SIGTERM);
    ::waitpid(child, nullptr, 0);
    std::sort(times_ms.begin(), times_ms.end());
    const auto at = [&](double part) {
        return times_ms[static_cast<std::size_t>(part * static_cast<double>(times_ms.size() - 1))];
    };
    std::printf("%-8s %d kills: median %.3f ms, p95 %.3f ms, max %.3f ms\n", label, kills, at(0.5),
                at(0.95), at(1));
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::strcmp(argv[1], "live") == 0) {
        return live(argv[2], std::atoi(argv[3]));
    }
    if (argc < 3) {
        return 2;
    }
    std::string path = "/dev/shm/keeper-bench-" + std::to_string(::getpid());
    std::string self = "/proc/" + std::to_string(::getpid()) + "/exe";
    std::string live_word = "live";
    std::string none = "0";
    std::string sockets = argc > 3 ? argv[3] : "0";
    std::string quiet[] = {"--burst", "0", "--watchdog", "0"};
    const int kills = std::atoi(argv[2]);
    char* floor[] = {self.data(), live_word.data(), path.data(), none.data(), nullptr};
    char* keeper[] = {argv[1],         quiet[0].data(), quiet[1].data(),  quiet[2].data(),
                      quiet[3].data(), self.data(),     live_word.data(), path.data(),
                      sockets.data(),  nullptr};
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(null, STDERR_FILENO);
    run("floor", floor, path.c_str(), kills, true);
    run("keeper", keeper, path.c_str(), kills, false);
    ::unlink(path.c_str());
    return 0;
}
