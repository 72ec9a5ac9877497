#include "sip/stand_in.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/sdp.hpp"
#include "sip/nua.hpp"
#include "sip/text.hpp"

namespace revenant::sip {

namespace {

// One round of the main loop answers this many, so that a long restore does not starve the rest.
constexpr int datagrams_per_round = 64;
constexpr int receive_buffer = 4 << 20;

struct MessageFree {
    void operator()(msg_t* message) const { msg_destroy(message); }
};

using Message = std::unique_ptr<msg_t, MessageFree>;

std::string head(const sip_t& sip, std::string_view status, std::string_view name) {
    std::string text = fmt::format("SIP/2.0 {}\r\n", status);
    for (const sip_via_t* via = sip.sip_via; via != nullptr; via = via->v_next) {
        sip_via_t one = *via;
        one.v_next = nullptr;
        text += fmt::format("Via: {}\r\n", header_text(&one));
    }
    text += fmt::format("From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {}\r\nServer: {}\r\n",
                        header_text(sip.sip_from), header_text(sip.sip_to),
                        header_text(sip.sip_call_id), header_text(sip.sip_cseq), name);
    return text;
}

// The peer's 200 to the INVITE as it must have been (RFC 3261 §12.1.1): the stack builds route set,
// target, session and timer from it.
std::string accept_invite(const sip_t& sip, const call::Dialog& dialog, std::string_view name) {
    std::string text = head(sip, "200 OK", name);
    std::vector<std::string> record_route = dialog.route_set;
    std::ranges::reverse(record_route);
    for (const std::string& route : record_route) {
        text += fmt::format("Record-Route: {}\r\n", route);
    }
    text += fmt::format("Contact: <{}>\r\n", dialog.remote_target);
    if (!dialog.peer_allow.empty()) {
        text += fmt::format("Allow: {}\r\n", dialog.peer_allow);
    }
    if (!dialog.peer_supported.empty()) {
        text += fmt::format("Supported: {}\r\n", dialog.peer_supported);
    }
    if (dialog.timer.interval_s != 0 && dialog.timer.refresher != call::Refresher::none) {
        // The stack is the UAC of this INVITE whatever its role in the dialog was.
        text += fmt::format("Require: timer\r\nSession-Expires: {};refresher={}\r\n",
                            dialog.timer.interval_s,
                            dialog.timer.refresher == call::Refresher::local ? "uac" : "uas");
    }
    // An INVITE without an offer that is not answered yet: any answer will do, it comes again.
    if (dialog.remote_sdp.empty()) {
        return text + fmt::format("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
                                  dialog.local_sdp.size(), dialog.local_sdp);
    }
    // With an offer in flight the stored answer is to the one before. Taken as it is, the stack
    // would turn our description to fit it, and change its version.
    const std::string answer =
        dialog.in_flight.reoffer
            ? call::as_answer(dialog.remote_sdp, call::direction_of(dialog.local_sdp))
            : dialog.remote_sdp;
    text += fmt::format("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
                        answer.size(), answer);
    return text;
}

} // namespace

StandIn::StandIn(
    base::Fd socket, std::string url, std::uint16_t port, std::string name, Lookup lookup)
    : socket_{std::move(socket)}, url_{std::move(url)}, port_{port}, name_{std::move(name)},
      lookup_{std::move(lookup)},
      // SAFETY: the source is a member and goes before `this`.
      readable_{base::on_readable(socket_.get(), [this] { read(); })} {}

base::Result<std::unique_ptr<StandIn>> StandIn::open(int family, std::string name, Lookup lookup) {
    base::Fd socket{::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_storage address{};
    socklen_t length = 0;
    if (family == AF_INET6) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
        v6->sin6_family = AF_INET6;
        v6->sin6_addr = in6addr_loopback;
        length = sizeof *v6;
    } else {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
        v4->sin_family = AF_INET;
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        length = sizeof *v4;
    }
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (!socket || ::bind(socket.get(), generic, length) != 0 ||
        ::getsockname(socket.get(), generic, &length) != 0) {
        return base::fail(base::Errc::io,
                          fmt::format("cannot open a socket on loopback to rebuild calls with: {}",
                                      std::strerror(errno)));
    }
    const int size = receive_buffer; // as much as the system allows
    static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
    const std::uint16_t port =
        ntohs(family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                 : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
    std::string url =
        fmt::format("sip:{}:{};transport=udp", family == AF_INET6 ? "[::1]" : "127.0.0.1", port);
    return std::unique_ptr<StandIn>{
        new StandIn{std::move(socket), std::move(url), port, std::move(name), std::move(lookup)}};
}

void StandIn::read() {
    std::array<char, 65536> buffer; // NOLINT(*-member-init): filled by recvfrom
    for (int i = 0; i < datagrams_per_round; ++i) {
        sockaddr_storage from{};
        socklen_t from_length = sizeof from;
        auto* generic = reinterpret_cast<sockaddr*>(&from);
        const ssize_t got =
            ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, generic, &from_length);
        if (got <= 0) {
            return;
        }
        const std::string reply = answer({buffer.data(), static_cast<std::size_t>(got)});
        if (!reply.empty()) {
            static_cast<void>(
                ::sendto(socket_.get(), reply.data(), reply.size(), 0, generic, from_length));
        }
    }
}

std::string StandIn::answer(std::string_view request) const {
    const Message message{
        msg_make(sip_default_mclass(), 0, request.data(), static_cast<ssize_t>(request.size()))};
    const sip_t* sip = message ? sip_object(message.get()) : nullptr;
    const bool whole = sip != nullptr && sip->sip_request != nullptr && sip->sip_via != nullptr &&
                       sip->sip_from != nullptr && sip->sip_to != nullptr &&
                       sip->sip_call_id != nullptr && sip->sip_cseq != nullptr;
    if (!whole || sip->sip_request->rq_method == sip_method_ack) {
        return {};
    }
    const call::Dialog* dialog =
        lookup_(text_of(sip->sip_call_id->i_id), text_of(sip->sip_from->a_tag));
    if (dialog == nullptr) {
        return head(*sip, "481 Call/Transaction Does Not Exist", name_) +
               "Content-Length: 0\r\n\r\n";
    }
    if (sip->sip_request->rq_method == sip_method_invite) {
        return accept_invite(*sip, *dialog, name_);
    }
    return head(*sip, "200 OK", name_) + "Content-Length: 0\r\n\r\n";
}

} // namespace revenant::sip
