#include "sip/comeback/inject.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "sip/comeback/held_connections.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/message_guard.hpp"
#include "sip/sofia/message_parts.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t word_size = 32;

// What stands before an injected message. Both ends are this process.
struct Preface {
    std::array<char, word_size> word{};
    base::SocketAddress from;
};

const std::string& secret_word() {
    static const std::string word = base::random_token(word_size);
    return word;
}

bool is_injected(const msghdr& header, std::size_t size) {
    return size > sizeof(Preface) && header.msg_iovlen > 0 &&
           header.msg_iov[0].iov_len >= word_size &&
           std::memcmp(header.msg_iov[0].iov_base, secret_word().data(), word_size) == 0;
}

// The message alone, from where it says.
std::size_t take_preface_off(msghdr& header, std::size_t size) {
    const std::string all = gather(header, size);
    Preface preface;
    std::memcpy(&preface, all.data(), sizeof preface);
    if (header.msg_name != nullptr && preface.from.size() <= header.msg_namelen) {
        std::memcpy(header.msg_name, preface.from.data(), preface.from.size());
        header.msg_namelen = preface.from.size();
    }
    const std::string_view message = std::string_view{all}.substr(sizeof preface);
    scatter(message, header);
    return message.size();
}

} // namespace

base::Status
inject(const base::SocketAddress& to, std::string_view message, const base::SocketAddress& from) {
    Preface preface{.from = from};
    std::memcpy(preface.word.data(), secret_word().data(), word_size);
    std::string datagram(sizeof preface, '\0');
    std::memcpy(datagram.data(), &preface, sizeof preface);
    datagram += message;
    const base::Fd socket{::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (::sendto(socket.get(), datagram.data(), datagram.size(), 0, to.data(), to.size()) < 0) {
        return base::fail(base::Errc::io, fmt::format("the stored INVITE cannot be read again: {}",
                                                      std::strerror(errno)));
    }
    return {};
}

// ---- In front of the library's function --------------------------------------------------------

namespace {

// Its transports read here, and nobody else does: a `recvmsg` in front of libc's would be every
// thread's, and would see the socket's errors as well.
issize_t receive(su_socket_t fd,
                 su_iovec_t parts[],
                 isize_t count,
                 int flags,
                 su_sockaddr_t* from,
                 socklen_t* length) {
    if (!held_connections::before_receive(fd)) {
        errno = ECONNRESET;
        return -1;
    }
    msghdr message{};
    message.msg_name = from;
    message.msg_namelen = from != nullptr && length != nullptr ? *length : 0;
    // The library has made its iovec the same as the system's.
    static_assert(sizeof(su_iovec_t) == sizeof(iovec));
    message.msg_iov = reinterpret_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<std::size_t>(count);
    const ssize_t received = ::recvmsg(fd, &message, flags);
    held_connections::after_receive(fd, received);
    if (received <= 0) {
        return static_cast<issize_t>(received);
    }
    auto size = static_cast<std::size_t>(received);
    if (is_injected(message, size)) {
        message.msg_namelen = *length;
        size = take_preface_off(message, size);
    } else if (from != nullptr && !may_be_message(beginning_of(message, size))) {
        errno = EAGAIN; // as if it had not come
        return -1;
    }
    if (length != nullptr) {
        *length = message.msg_namelen;
    }
    return static_cast<issize_t>(size);
}

const Standing reads{hooks.su_vrecv, receive};

} // namespace

} // namespace revenant::sip
