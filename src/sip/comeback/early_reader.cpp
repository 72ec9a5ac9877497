#include "sip/comeback/early_reader.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "sip/comeback/inject.hpp"

namespace revenant::sip {

namespace {

// More is dropped; who has said it says it again.
constexpr std::size_t aside_max = 4096;
constexpr int datagrams_per_round = 64;

void pass_on(const base::SocketAddress& into,
             std::string_view message,
             const base::SocketAddress& from) {
    const base::Status done = inject(into, message, from);
    if (!done) {
        base::log(base::Level::info, done.error().context); // lost, as any datagram may be
    }
}

} // namespace

EarlyReader::EarlyReader(const std::vector<Socket>& sockets,
                         std::function<bool(std::string_view call_id)> is_awaited)
    : is_awaited_{std::move(is_awaited)} {
    for (const Socket& socket : sockets) {
        // SAFETY: the sources are members.
        sources_.push_back(base::on_readable(socket.fd, [this, socket] { read(socket); }));
    }
}

void EarlyReader::read(const Socket& socket) {
    std::array<char, 65536> buffer; // NOLINT(*-member-init): filled by recvfrom
    for (int i = 0; i < datagrams_per_round; ++i) {
        Aside one;
        const ssize_t size = ::recvfrom(socket.fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                        one.from.data(), &one.from.size());
        if (size <= 0) {
            return;
        }
        const std::string_view message{buffer.data(), static_cast<std::size_t>(size)};
        const std::string_view call_id = call_id_of(message);
        if (call_id.empty() || !is_awaited_(call_id)) {
            pass_on(socket.into, message, one.from);
        } else if (aside_.size() < aside_max) {
            one.call_id = call_id;
            one.message = message;
            one.socket = socket;
            aside_.push_back(std::move(one));
        }
    }
}

void EarlyReader::release(std::string_view call_id) {
    std::erase_if(aside_, [&](const Aside& one) {
        if (one.call_id != call_id) {
            return false;
        }
        pass_on(one.socket.into, one.message, one.from);
        return true;
    });
}

void EarlyReader::release_all() {
    for (const Aside& one : std::exchange(aside_, {})) {
        pass_on(one.socket.then, one.message, one.from);
    }
}

std::string_view call_id_of(std::string_view message) {
    while (!message.empty()) {
        const std::size_t end = message.find('\n');
        const std::string_view line = base::trim(message.substr(0, end));
        if (line.empty() || end == std::string_view::npos) {
            return {}; // the header ends
        }
        const std::size_t colon = line.find(':');
        const std::string_view name = base::trim(line.substr(0, colon));
        if (colon != std::string_view::npos && (base::equals_ignoring_case(name, "call-id") ||
                                                base::equals_ignoring_case(name, "i"))) {
            return base::trim(line.substr(colon + 1));
        }
        message.remove_prefix(end + 1);
    }
    return {};
}

} // namespace revenant::sip
