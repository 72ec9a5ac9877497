#include "app/free_port.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <sys/socket.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

namespace {

constexpr int tries_max = 100;

std::optional<std::uint16_t> bound(int kind, base::SocketAddress& address, base::Fd& socket) {
    socket = base::Fd{::socket(address.family(), kind | SOCK_CLOEXEC, 0)};
    if (::bind(socket.get(), address.data(), address.size()) != 0) {
        return std::nullopt;
    }
    const auto at = base::SocketAddress::of(socket.get());
    return at ? std::optional{at->port()} : std::nullopt;
}

std::uint16_t free_port(const shell::Listen& listen) {
    for (int i = 0; i < tries_max; ++i) {
        base::Fd datagram;
        base::Fd stream;
        auto any = base::SocketAddress::numeric(listen.address, 0);
        const auto port = any ? bound(SOCK_DGRAM, *any, datagram) : std::nullopt;
        auto same = port ? base::SocketAddress::numeric(listen.address, *port) : std::nullopt;
        if (!same) {
            return 0; // the stack will say why it cannot listen there
        }
        if (bound(SOCK_STREAM, *same, stream)) {
            return *port;
        }
    }
    return 0;
}

} // namespace

std::uint16_t chosen_port(const shell::Listen& listen,
                          const std::map<call::Number, call::Call>& calls,
                          const std::vector<base::Fd>& held) {
    const auto wanted = base::SocketAddress::numeric(listen.address, 0);
    for (const auto& [number, call] : calls) {
        const call::Endpoint& local = call.dialog.local_sip;
        const auto at = base::SocketAddress::numeric(local.address, local.port);
        const bool fits = wanted && at && at->family() == wanted->family() &&
                          (wanted->is_any() || at->same_host(*wanted));
        if (fits && local.port != 0) {
            return local.port;
        }
    }
    for (const base::Fd& socket : held) {
        const auto at = base::SocketAddress::of(socket.get());
        if (wanted && at && at->family() == wanted->family() && at->same_host(*wanted) &&
            at->port() != 0) {
            return at->port();
        }
    }
    return free_port(listen);
}

} // namespace revenant::app
