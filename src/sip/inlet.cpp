#include "sip/inlet.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/held_connections.hpp"
#include "sip/outgoing_watch.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t word_size = 32;

// What stands before an injected message. Both ends are this process.
struct Preface {
    std::array<char, word_size> word{};
    socklen_t length = 0;
    sockaddr_in6 from{}; // or a sockaddr_in
};

const std::string& secret_word() {
    static const std::string word = base::random_token(word_size);
    return word;
}

socklen_t to_sockaddr(const call::Endpoint& endpoint, sockaddr_in6& out) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
    if (::inet_pton(AF_INET, endpoint.address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint.port);
        return sizeof *v4;
    }
    if (::inet_pton(AF_INET6, endpoint.address.c_str(), &out.sin6_addr) == 1) {
        out.sin6_family = AF_INET6;
        out.sin6_port = htons(endpoint.port);
        return sizeof out;
    }
    return 0;
}

bool is_injected(const msghdr& header, std::size_t size) {
    return size > sizeof(Preface) && header.msg_iovlen > 0 &&
           header.msg_iov[0].iov_len >= word_size &&
           std::memcmp(header.msg_iov[0].iov_base, secret_word().data(), word_size) == 0;
}

std::vector<char> gather(const msghdr& header, std::size_t size) {
    std::vector<char> all;
    all.reserve(size);
    for (std::size_t i = 0; i < header.msg_iovlen && all.size() < size; ++i) {
        const iovec& part = header.msg_iov[i];
        const auto* bytes = static_cast<const char*>(part.iov_base);
        all.insert(all.end(), bytes, bytes + std::min(part.iov_len, size - all.size()));
    }
    return all;
}

void scatter(const msghdr& header, std::string_view bytes) {
    for (std::size_t i = 0; i < header.msg_iovlen && !bytes.empty(); ++i) {
        const iovec& part = header.msg_iov[i];
        const std::size_t length = std::min(part.iov_len, bytes.size());
        std::memcpy(part.iov_base, bytes.data(), length);
        bytes.remove_prefix(length);
    }
}

// The message alone, from where it says.
std::size_t take_preface_off(msghdr& header, std::size_t size) {
    const std::vector<char> all = gather(header, size);
    Preface preface;
    std::memcpy(&preface, all.data(), sizeof preface);
    const socklen_t room = header.msg_namelen;
    if (header.msg_name != nullptr && preface.length <= sizeof preface.from &&
        preface.length <= room) {
        std::memcpy(header.msg_name, &preface.from, preface.length);
        header.msg_namelen = preface.length;
    }
    const std::string_view message{all.data() + sizeof preface, all.size() - sizeof preface};
    scatter(header, message);
    return message.size();
}

} // namespace

base::Status
inject(const call::Endpoint& to, std::string_view message, const call::Endpoint& from) {
    sockaddr_in6 source{};
    const socklen_t length = to_sockaddr(from, source);
    return inject(to, message, reinterpret_cast<const sockaddr*>(&source), length);
}

base::Status
inject(const call::Endpoint& to, std::string_view message, const sockaddr* from, socklen_t size) {
    Preface preface;
    sockaddr_in6 destination{};
    const socklen_t length = to_sockaddr(to, destination);
    if (size == 0 || size > sizeof preface.from || length == 0) {
        return base::fail(base::Errc::bad_input, "a stored message is from no numeric address");
    }
    std::memcpy(preface.word.data(), secret_word().data(), word_size);
    std::memcpy(&preface.from, from, size);
    preface.length = size;
    std::string datagram(sizeof preface, '\0');
    std::memcpy(datagram.data(), &preface, sizeof preface);
    datagram += message;
    const auto* address = reinterpret_cast<const sockaddr*>(&destination);
    const base::Fd socket{::socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (::sendto(socket.get(), datagram.data(), datagram.size(), 0, address, length) < 0) {
        return base::fail(base::Errc::io, fmt::format("the stored INVITE cannot be read again: {}",
                                                      std::strerror(errno)));
    }
    return {};
}

} // namespace revenant::sip

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's are reserved names
extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
    using namespace revenant::sip;
    using Receive = ssize_t(int, msghdr*, int);
    static Receive* const real = [] {
        void* symbol = ::dlsym(RTLD_NEXT, "recvmsg");
        Receive* function = nullptr;
        std::memcpy(&function, &symbol, sizeof function);
        return function;
    }();
    if (!HeldConnections::before_receive(fd)) {
        errno = ECONNRESET;
        return -1;
    }
    const socklen_t room = message->msg_namelen;
    const ssize_t size = real(fd, message, flags);
    if (size > 0 && message->msg_iovlen > 0) {
        const iovec& part = message->msg_iov[0];
        OutgoingWatch::received({static_cast<const char*>(part.iov_base),
                                 std::min(part.iov_len, static_cast<std::size_t>(size))});
    }
    if (size <= 0 || !is_injected(*message, static_cast<std::size_t>(size))) {
        return size;
    }
    message->msg_namelen = room;
    return static_cast<ssize_t>(take_preface_off(*message, static_cast<std::size_t>(size)));
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
