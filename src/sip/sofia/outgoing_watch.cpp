#include "sip/sofia/outgoing_watch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <sys/socket.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/event.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/kept_message.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/message_parts.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/outgoing_gate.hpp"
#include "sip/sofia/transactions.hpp"

namespace revenant::sip {

namespace {

struct Watch {
    outgoing_watch::Listener listener;
    std::unordered_map<std::string, std::optional<KeptMessage>> held_back; // by branch
    std::unordered_set<std::string> reported;                              // branches
};

Watch& watch() {
    static Watch one;
    return one;
}

// The status of the answer that is being acknowledged.
std::uint16_t delivered_status() {
    const sip_t* sip = hooks.delivery != nullptr ? sip_object(hooks.delivery->message) : nullptr;
    return sip != nullptr && sip->sip_status != nullptr
               ? static_cast<std::uint16_t>(sip->sip_status->st_status)
               : std::uint16_t{0};
}

// The PRACK that is being answered. The stack answers it while it is being delivered.
std::string delivered_prack() {
    return hooks.delivery != nullptr ? whole_text(hooks.delivery->message) : std::string{};
}

void look_at_answer(const std::string& message, const call::HeldRef& held) {
    const std::string_view cseq = header_line(message, "\r\nCSeq:");
    if (cseq.ends_with(" CANCEL")) {
        watch().listener.before_cancel_answer(header_line(message, "\r\nCall-ID:"), held);
    } else if (cseq.ends_with(" PRACK")) {
        watch().listener.before_prack_answer(header_line(message, "\r\nCall-ID:"),
                                             delivered_prack(), held);
    }
}

// An ACK to a refusal has the branch of its INVITE, one to a 2xx has a branch of its own (RFC 3261
// §17.1.1.3).
void look_at_ack(const std::string& message, const call::HeldRef& held) {
    const std::string_view tag = part_after(header_line(message, "\r\nFrom:"), ";tag=", ";");
    const std::string_view branch = part_after(header_line(message, "\r\nVia:"), ";branch=", ";,");
    const auto cseq = base::to_u32(part_after(header_line(message, "\r\nCSeq:"), "", " "));
    if (cseq && branch == invite_branch(tag, *cseq)) {
        watch().listener.before_refusal_ack({.call_id = header_line(message, "\r\nCall-ID:"),
                                             .local_tag = tag,
                                             .cseq = *cseq,
                                             .status = delivered_status()},
                                            held);
    }
}

std::string branch_of(std::string_view message) {
    return std::string{part_after(header_line(message, "\r\nVia:"), ";branch=", ";,")};
}

void look_at_invite(int fd,
                    const msghdr& message,
                    const std::string& text,
                    const call::HeldRef& held) {
    if (!watch().reported.contains(branch_of(text))) {
        return;
    }
    const auto to = message.msg_name != nullptr
                        ? std::optional{base::SocketAddress{
                              static_cast<const sockaddr*>(message.msg_name), message.msg_namelen}}
                        : base::SocketAddress::of_peer(fd);
    if (to) {
        watch().listener.before_invite(
            {.call_id = header_line(text, "\r\nCall-ID:"),
             .local_tag = part_after(header_line(text, "\r\nFrom:"), ";tag=", ";"),
             .to = *to},
            held);
    }
}

bool is_held_back(int fd, const msghdr& message, const std::string& text) {
    const auto found = watch().held_back.find(branch_of(text));
    if (found == watch().held_back.end()) {
        return false;
    }
    found->second = KeptMessage::of(fd, message, text);
    return true;
}

// Whether somebody is to hear of a message that begins so.
bool is_told_of(std::string_view start) {
    const outgoing_watch::Listener& listener = watch().listener;
    return (start.starts_with("SIP/2.0 200 ") && listener.before_cancel_answer) ||
           (start.starts_with("ACK ") && listener.before_refusal_ack) ||
           (start.starts_with("INVITE ") &&
            (!watch().reported.empty() || !watch().held_back.empty()));
}

void tell_of(int fd, const msghdr& message, const std::string& text, const call::HeldRef& held) {
    if (text.starts_with("SIP/2.0 200 ")) {
        look_at_answer(text, held);
    } else if (text.starts_with("ACK ")) {
        look_at_ack(text, held);
    } else if (watch().listener.before_invite) {
        look_at_invite(fd, message, text, held);
    }
}

} // namespace

void outgoing_watch::tell(Listener listener) {
    watch().listener = std::move(listener);
}

bool outgoing_watch::stops(int fd, const msghdr& message) {
    if (outgoing_gate::is_letting_go()) {
        return false;
    }
    const std::string_view start = beginning_of(message, size_of(message));
    bool stopped = false;
    base::at_boundary("outgoing SIP", [&] {
        if (start.starts_with("SIP/2.0 100 ")) {
            stopped = true;
            return;
        }
        const bool is_told = is_told_of(start);
        if (!is_told && !outgoing_gate::is_shut()) {
            return;
        }
        const std::string text = gather(message, size_of(message));
        const call::HeldRef held = is_told ? outgoing_gate::announce() : nullptr;
        if (is_told) {
            tell_of(fd, message, text, held);
        }
        stopped = (start.starts_with("INVITE ") && is_held_back(fd, message, text)) ||
                  outgoing_gate::keeps(held, fd, message, text);
    });
    return stopped;
}

void outgoing_watch::report(const std::string& branch) {
    watch().reported.insert(branch);
}

void outgoing_watch::report_no_more(const std::string& branch) {
    watch().reported.erase(branch);
}

void outgoing_watch::hold_back(const std::string& branch) {
    watch().held_back.try_emplace(branch);
}

void outgoing_watch::let_go(const std::string& branch, bool send) {
    auto held = watch().held_back.extract(branch);
    if (!held.empty() && send && held.mapped()) {
        held.mapped()->send();
    }
}

} // namespace revenant::sip
