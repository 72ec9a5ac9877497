#include "sip/sofia/outgoing_gate.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "sip/interpose/under_way.hpp"
#include "sip/sofia/kept_message.hpp"
#include "sip/sofia/message_parts.hpp"

namespace revenant::sip {

namespace {

struct Waiting {
    std::uint64_t number = 0; // of its reference; 0: it waits only for the one before it
    KeptMessage message;
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
        const UnderWay<bool, Nesting::allowed> letting_go{gate().is_letting_go, true};
        first.message.send();
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
    KeptMessage kept = KeptMessage::of(fd, message, std::string{text});
    if (std::ranges::none_of(queue, [&](const Waiting& one) { return one.message == kept; })) {
        queue.push_back({.number = waits ? static_cast<const Announced*>(held.get())->number() : 0,
                         .message = std::move(kept)});
    }
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
        if (std::erase_if(queue, [&](const Waiting& one) { return one.message.fd == fd; }) > 0) {
            call_ids.push_back(call_id);
        }
    }
    std::ranges::for_each(call_ids, let_through);
}

} // namespace revenant::sip
