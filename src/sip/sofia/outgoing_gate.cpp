#include "sip/sofia/outgoing_gate.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "revenant/base/socket_address.hpp"
#include "sip/interpose/under_way.hpp"
#include "sip/sofia/message_parts.hpp"

namespace revenant::sip {

namespace {

struct Waiting {
    std::uint64_t number = 0; // of its reference; 0: it waits only for the one before it
    std::string text;
    int fd = -1;
    std::optional<base::SocketAddress> to; // none: a connection
};

using Queue = std::deque<Waiting>;

struct Gate {
    std::map<std::string, Queue, std::less<>> calls; // by Call-ID
    std::uint64_t last_number = 0;
    bool is_letting_go = false;
};

Gate& gate() {
    static Gate one;
    return one;
}

void send(Waiting& one) {
    const UnderWay<bool, Nesting::allowed> letting_go{gate().is_letting_go, true};
    iovec part{.iov_base = one.text.data(), .iov_len = one.text.size()};
    msghdr message{};
    if (one.to) {
        message.msg_name = one.to->data();
        message.msg_namelen = one.to->size();
    }
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    // Lost or not: over UDP it is repeated, or asked for again.
    static_cast<void>(::sendmsg(one.fd, &message, MSG_NOSIGNAL));
}

// All that waits for nothing but what was before it. Looked up anew each time: what is sent may
// bring more.
void let_through(const std::string& call_id) {
    auto& calls = gate().calls;
    for (auto call = calls.find(call_id); call != calls.end(); call = calls.find(call_id)) {
        if (call->second.empty()) {
            calls.erase(call);
            return;
        }
        if (call->second.front().number != 0) {
            return;
        }
        Waiting first = std::move(call->second.front());
        call->second.pop_front();
        send(first);
    }
}

void let_go_of(std::uint64_t number) {
    for (auto& [call_id, queue] : gate().calls) {
        const auto found = std::ranges::find(queue, number, &Waiting::number);
        if (found != queue.end()) {
            found->number = 0;
            let_through(std::string{call_id});
            return;
        }
    }
    // It did not wait, or its socket is closed.
}

// What a reference refers to.
class Announced {
public:
    explicit Announced(std::uint64_t number) : number_{number} {}

    Announced(const Announced&) = delete;
    Announced& operator=(const Announced&) = delete;

    ~Announced() { let_go_of(number_); }

    [[nodiscard]] std::uint64_t number() const { return number_; }

private:
    std::uint64_t number_;
};

std::optional<base::SocketAddress> address_of(const msghdr& message) {
    return message.msg_name != nullptr
               ? std::optional{base::SocketAddress{static_cast<const sockaddr*>(message.msg_name),
                                                   message.msg_namelen}}
               : std::nullopt;
}

} // namespace

call::HeldRef outgoing_gate::announce() {
    return std::make_shared<const Announced>(++gate().last_number);
}

bool outgoing_gate::keeps(const call::HeldRef& held,
                          int fd,
                          const msghdr& message,
                          std::string_view text) {
    const bool waits = held.use_count() > 1;
    auto& calls = gate().calls;
    const std::string call_id{header_line(text, "\r\nCall-ID:")};
    const auto found = calls.find(call_id);
    if (!waits && found == calls.end()) {
        return false;
    }
    Queue& queue = found != calls.end() ? found->second : calls[call_id];
    const auto to = address_of(message);
    if (std::ranges::any_of(queue, [&](const Waiting& one) {
            return one.fd == fd && one.to == to && one.text == text;
        })) {
        return true;
    }
    queue.push_back(
        {.number = waits ? static_cast<const Announced*>(held.get())->number() : std::uint64_t{0},
         .text = std::string{text},
         .fd = fd,
         .to = to});
    return true;
}

bool outgoing_gate::is_shut() {
    return !gate().calls.empty();
}

bool outgoing_gate::is_letting_go() {
    return gate().is_letting_go;
}

void outgoing_gate::closed(int fd) {
    std::vector<std::string> call_ids;
    for (auto& [call_id, queue] : gate().calls) {
        if (std::erase_if(queue, [&](const Waiting& one) { return one.fd == fd; }) > 0) {
            call_ids.push_back(call_id);
        }
    }
    std::ranges::for_each(call_ids, let_through);
}

} // namespace revenant::sip
