// A phone for the keeper's tests: does what the test says, line by line, on a connection to it.
// Only libsystemd speaks to the keeper here, except in `raw`, which sends octets as they are.
//
// phone CONTROL-SOCKET [CAUGHT-SIGNAL...]; the first line that it sends tells how it was started.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "revenant/keeper/slate.hpp"

namespace {

constexpr int first = SD_LISTEN_FDS_START;

int connect_to(const char* path, int type) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    std::memcpy(address.sun_path, path, std::min(length, sizeof address.sun_path));
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
        std::perror(path);
        std::exit(3);
    }
    return fd;
}

std::uint16_t port_of(int fd) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
    return ntohs(name.sin_port);
}

int udp_socket() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
        std::perror("bind");
        std::exit(3);
    }
    return fd;
}

std::string greeting() {
    const char* const notify = std::getenv("NOTIFY_SOCKET");
    std::uint64_t watchdog = 0;
    sd_watchdog_enabled(0, &watchdog);
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    std::ostringstream text;
    const char* const death = std::getenv("KEEPER_DEATH");
    std::string why = death != nullptr ? death : "-";
    std::ranges::replace(why, ' ', '_');
    text << "started " << ::getpid() << ' ' << (notify != nullptr ? notify : "-") << ' ' << watchdog
         << ' ' << why << ' ' << count;
    for (int i = 0; i < count; ++i) {
        text << ' ' << names[i] << '=' << port_of(first + i);
    }
    return text.str();
}

// Descriptors that are open, other than 0 to 2, the stored ones and `known`.
std::string strangers(int stored, const std::vector<int>& known) {
    std::string text = "fds";
    DIR* const directory = ::opendir("/proc/self/fd");
    while (const dirent* const entry = ::readdir(directory)) {
        const int fd = std::atoi(entry->d_name);
        bool expected = fd < first + stored || fd == ::dirfd(directory);
        for (const int k : known) {
            expected = expected || fd == k;
        }
        text += expected ? "" : ' ' + std::string{entry->d_name};
    }
    ::closedir(directory);
    return text;
}

std::string unescape(std::string text) {
    for (std::size_t at = 0; (at = text.find("\\n", at)) != std::string::npos;) {
        text.replace(at, 2, "\n");
    }
    return text;
}

std::string send_raw(const std::string& hex, int descriptors) {
    std::string octets;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    std::vector<int> fds;
    for (int i = 0; i < descriptors; ++i) {
        fds.push_back(udp_socket());
    }
    std::vector<char> controls(CMSG_SPACE(fds.size() * sizeof(int)));
    iovec vector{octets.data(), octets.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
        header.msg_control = controls.data();
        header.msg_controllen = controls.size();
        cmsghdr* const control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        std::memcpy(CMSG_DATA(control), fds.data(), fds.size() * sizeof(int));
    }
    const int keeper = connect_to(std::getenv("NOTIFY_SOCKET"), SOCK_DGRAM);
    const ssize_t sent = ::sendmsg(keeper, &header, MSG_NOSIGNAL);
    ::close(keeper);
    for (const int fd : fds) {
        ::close(fd);
    }
    return "raw " + std::to_string(sent);
}

// Answers with the ports: `count` sockets under one name, in messages of `batch`.
std::string store(const std::string& name, int count, int batch) {
    std::string answer = "stored";
    while (count > 0) {
        std::vector<int> fds;
        for (; count > 0 && static_cast<int>(fds.size()) < batch; --count) {
            fds.push_back(udp_socket());
            answer += ' ' + std::to_string(port_of(fds.back()));
        }
        const std::string text = "FDSTORE=1\nFDNAME=" + name + "\nFDPOLL=0";
        const int sent = sd_pid_notify_with_fds(0, 0, text.c_str(), fds.data(),
                                                static_cast<unsigned>(fds.size()));
        if (sent <= 0) {
            answer = "failed " + std::to_string(sent);
        }
        for (const int fd : fds) {
            ::close(fd);
        }
    }
    return answer;
}

std::string receive(int index) {
    std::array<char, 1500> buffer{};
    std::string answer = "received";
    for (;;) {
        const ssize_t size = ::recv(first + index, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size < 0) {
            return answer;
        }
        answer += ' ' + std::string(buffer.data(), static_cast<std::size_t>(size));
    }
}

revenant::keeper::Slate* slate = nullptr;

// Shares a page with the keeper; answers what libsystemd does.
std::string share_slate(bool seal) {
    const int fd = ::memfd_create("slate", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    void* page = MAP_FAILED;
    if (::ftruncate(fd, revenant::keeper::slate_size) == 0 &&
        (!seal || ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)) {
        page = ::mmap(nullptr, revenant::keeper::slate_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                      0);
    }
    if (page == MAP_FAILED) {
        return "failed";
    }
    slate = static_cast<revenant::keeper::Slate*>(page);
    slate->layout = revenant::keeper::slate_layout;
    return std::to_string(sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=slate", &fd, 1));
}

std::string perform(const std::string& line, const std::vector<int>& known) {
    std::istringstream in{line};
    std::string verb;
    std::string word;
    int number = 0;
    int batch = 1;
    in >> verb;
    if (verb == "store") {
        in >> word >> number >> batch;
        return store(word, number, batch);
    }
    if (verb == "again") { // a stored one, once more
        in >> number;
        const int fd = first + number;
        return std::to_string(sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=again", &fd, 1));
    }
    if (verb == "notify") {
        in >> std::ws;
        std::getline(in, word);
        return std::to_string(sd_notify(0, unescape(word).c_str()));
    }
    if (verb == "slate") {
        in >> word;
        return share_slate(word != "unsealed");
    }
    if (verb == "disk") {
        in >> number;
        slate->disk_waits = static_cast<std::uint32_t>(number);
        return verb;
    }
    if (verb == "asked") {
        in >> number;
        slate->asked_to_end = number;
        return verb;
    }
    if (verb == "barrier") {
        return std::to_string(sd_notify_barrier(0, 5'000'000));
    }
    if (verb == "raw") {
        in >> word >> number;
        return send_raw(word, number);
    }
    if (verb == "receive") {
        in >> number;
        return receive(number);
    }
    if (verb == "strangers") {
        in >> number;
        return strangers(number, known);
    }
    if (verb == "leave") { // with the last word still on its way
        in >> number;
        store("last", 1, 1);
        ::raise(number);
    }
    if (verb == "exit") {
        in >> number;
        std::_Exit(number);
    }
    return "what?";
}

void reply(int control, const std::string& text) {
    const std::string line = text + '\n';
    if (::send(control, line.data(), line.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(line.size())) {
        std::_Exit(4);
    }
}

int serve(int control, int signals) {
    const std::vector<int> known{control, signals};
    std::string pending;
    std::array<char, 4096> buffer{};
    for (;;) {
        std::array<pollfd, 2> sources{{{control, POLLIN, 0}, {signals, POLLIN, 0}}};
        ::poll(sources.data(), sources.size(), -1);
        signalfd_siginfo info{};
        if ((sources[1].revents & POLLIN) != 0 &&
            ::read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            reply(control, "signal " + std::to_string(info.ssi_signo));
        }
        if (sources[0].revents == 0) {
            continue;
        }
        const ssize_t size = ::recv(control, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
            return 5; // the test is over
        }
        pending.append(buffer.data(), static_cast<std::size_t>(size));
        for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
            const std::string line = pending.substr(0, end);
            pending.erase(0, end + 1);
            reply(control, perform(line, known));
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        return 2;
    }
    rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    sigset_t caught;
    ::sigemptyset(&caught);
    for (int i = 2; i < argc; ++i) {
        ::sigaddset(&caught, std::atoi(argv[i]));
    }
    const std::string how = greeting();
    ::sigprocmask(SIG_BLOCK, &caught, nullptr);
    const int signals = ::signalfd(-1, &caught, SFD_CLOEXEC);
    const int control = connect_to(argv[1], SOCK_STREAM);
    reply(control, how);
    return serve(control, signals);
}
