#include "sip/inlet.hpp"

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
#include "sip/answer_address.hpp"
#include "sip/held_connections.hpp"
#include "sip/message_parts.hpp"
#include "sip/next_function.hpp"
#include "sip/outgoing_watch.hpp"

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

} // namespace revenant::sip

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's are reserved names
extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
    using namespace revenant::sip;
    static auto* const real = next_function<ssize_t(int, msghdr*, int)>("recvmsg");
    if (!HeldConnections::before_receive(fd)) {
        errno = ECONNRESET;
        return -1;
    }
    const socklen_t room = message->msg_namelen;
    ssize_t size = real(fd, message, flags);
    HeldConnections::after_receive(fd, size);
    if (size <= 0) {
        return size;
    }
    if (is_injected(*message, static_cast<std::size_t>(size))) {
        message->msg_namelen = room;
        size = static_cast<ssize_t>(take_preface_off(*message, static_cast<std::size_t>(size)));
    }
    answers_go_to(*message);
    OutgoingWatch::received(*message, static_cast<std::size_t>(size));
    return size;
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
