#include "sip/comeback/stand_in.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/sdp.hpp"
#include "sip/comeback/held_sockets.hpp"

namespace revenant::sip {

namespace {

// What an answer takes over from a request (RFC 3261 §8.2.6.2), as parts of its text.
struct Request {
    std::string_view method;
    std::string_view call_id;
    std::string_view from_tag;
    std::string echo; // the header fields that come back as they are
};

std::string_view tag_of(std::string_view name_addr) {
    constexpr std::string_view key = ";tag=";
    const std::size_t close = name_addr.rfind('>');
    const std::string_view parameters =
        close == std::string_view::npos ? name_addr : name_addr.substr(close);
    const std::size_t at = parameters.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view tag = parameters.substr(at + key.size());
    return tag.substr(0, tag.find(';'));
}

// Only our own stack asks here, and it writes its header fields with their full names, one a line;
// parsing what it has just printed would be a good part of what a restored call costs.
std::optional<Request> read_request(std::string_view text) {
    constexpr std::string_view line_end = "\r\n";
    constexpr std::array<std::string_view, 4> once{"From", "To", "Call-ID", "CSeq"};
    Request request{.method = text.substr(0, std::min(text.find(' '), text.size())),
                    .call_id = {},
                    .from_tag = {},
                    .echo = {}};
    std::size_t vias = 0;
    std::size_t others = 0;
    std::size_t begin = text.find(line_end);
    while (begin != std::string_view::npos) {
        begin += line_end.size();
        const std::size_t end = text.find(line_end, begin);
        const std::string_view line = text.substr(begin, end - begin);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) {
            break; // the header ends
        }
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = base::trim(line.substr(colon + 1));
        const bool is_via = name == "Via";
        if (is_via || std::ranges::find(once, name) != once.end()) {
            request.echo.append(line).append(line_end);
            ++(is_via ? vias : others);
        }
        if (name == "Call-ID") {
            request.call_id = value;
        } else if (name == "From") {
            request.from_tag = tag_of(value);
        }
        begin = end;
    }
    const bool is_whole = vias > 0 && others == once.size();
    // A response is never answered, or two stand-ins could keep each other busy.
    return is_whole && !text.starts_with("SIP/") ? std::optional{std::move(request)} : std::nullopt;
}

std::string head(const Request& request, std::string_view status, std::string_view name) {
    return fmt::format("SIP/2.0 {}\r\n{}Server: {}\r\n", status, request.echo, name);
}

// The peer's 200 to the INVITE as it must have been (RFC 3261 §12.1.1): the stack builds route set,
// target, session and timer from it.
std::string
accept_invite(const Request& request, const call::Dialog& dialog, std::string_view name) {
    std::string text = head(request, "200 OK", name);
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

StandIn::StandIn(base::Fd socket,
                 const base::SocketAddress& address,
                 std::string name,
                 DialogLookup lookup)
    : socket_{std::move(socket)}, address_{address}, url_{fmt::format("sip:{}:{};transport=udp",
                                                                      address.family() == AF_INET6
                                                                          ? "[::1]"
                                                                          : "127.0.0.1",
                                                                      address.port())},
      name_{std::move(name)}, lookup_{std::move(lookup)} {
    held_sockets::divert(
        address_,
        [this](std::string_view message, const base::SocketAddress& from) { hear(message, from); });
}

StandIn::~StandIn() {
    held_sockets::undivert(address_);
}

base::Result<std::unique_ptr<StandIn>>
StandIn::open(int family, std::string name, DialogLookup lookup) {
    base::Fd socket{::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const auto wanted = base::SocketAddress::loopback(family);
    const bool bound = socket && ::bind(socket.get(), wanted.data(), wanted.size()) == 0;
    const auto address = bound ? base::SocketAddress::of(socket.get()) : std::nullopt;
    if (!address) {
        return base::fail(base::Errc::io,
                          fmt::format("cannot open a socket on loopback to rebuild calls with: {}",
                                      std::strerror(errno)));
    }
    return std::unique_ptr<StandIn>{
        new StandIn{std::move(socket), *address, std::move(name), std::move(lookup)}};
}

void StandIn::hear(std::string_view message, const base::SocketAddress& from) const {
    const std::string reply = answer(message);
    if (!reply.empty()) {
        static_cast<void>(
            ::sendto(socket_.get(), reply.data(), reply.size(), 0, from.data(), from.size()));
    }
}

std::string StandIn::answer(std::string_view text) const {
    const std::optional<Request> request = read_request(text);
    if (!request || request->method == "ACK") {
        return {};
    }
    const call::Dialog* dialog = lookup_(request->call_id, request->from_tag);
    if (dialog == nullptr) {
        return head(*request, "481 Call/Transaction Does Not Exist", name_) +
               "Content-Length: 0\r\n\r\n";
    }
    if (request->method == "INVITE") {
        return accept_invite(*request, *dialog, name_);
    }
    return head(*request, "200 OK", name_) + "Content-Length: 0\r\n\r\n";
}

} // namespace revenant::sip
