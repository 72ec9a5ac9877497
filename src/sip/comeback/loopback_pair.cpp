#include "sip/comeback/loopback_pair.hpp"

#include <optional>
#include <utility>

#include <sys/socket.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"

namespace revenant::sip {

std::optional<std::pair<base::Fd, base::Fd>> loopback_pair() {
    using base::SocketAddress;
    const auto any = SocketAddress::loopback(AF_INET);
    const base::Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    base::Fd one{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::bind(listener.get(), any.data(), any.size()) != 0 || ::listen(listener.get(), 1) != 0) {
        return std::nullopt;
    }
    const auto at = SocketAddress::of(listener.get());
    if (!at || ::connect(one.get(), at->data(), at->size()) != 0) {
        return std::nullopt;
    }
    base::Fd other{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    const auto there = SocketAddress::of_peer(other.get());
    if (!there || there != SocketAddress::of(one.get())) { // somebody else was faster
        return std::nullopt;
    }
    return std::pair{std::move(one), std::move(other)};
}

} // namespace revenant::sip
