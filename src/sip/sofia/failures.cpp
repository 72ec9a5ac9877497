#include "sip/sofia/failures.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

// Between a failure and its report lie a few turns of the main loop.
constexpr std::size_t noted_max = 256;

struct Noted {
    std::string request;
    std::string why;
};

std::deque<Noted>& noted() {
    static std::deque<Noted> list;
    return list;
}

// The library's own answer has these of its request.
std::string identity(const sip_t& sip) {
    if (sip.sip_call_id == nullptr || sip.sip_cseq == nullptr) {
        return {};
    }
    return fmt::format("{} {} {}", sip.sip_cseq->cs_seq, text_of(sip.sip_cseq->cs_method_name),
                       text_of(sip.sip_call_id->i_id));
}

call::Endpoint address_of(msg_t* message) {
    const su_addrinfo_t* info = msg_addrinfo(message);
    if (info == nullptr || info->ai_addr == nullptr) {
        return {};
    }
    const base::SocketAddress address{info->ai_addr, static_cast<socklen_t>(info->ai_addrlen)};
    return {.address = address.host(), .port = address.port()};
}

void note_error(msg_t* message, int error) {
    const sip_t* sip = message != nullptr ? sip_object(message) : nullptr;
    if (sip != nullptr && sip->sip_request != nullptr) {
        failures::note(*sip, transport_failure(error, address_of(message)));
    }
}

} // namespace

std::string transport_failure(int error, const call::Endpoint& at) {
    const std::string where = at.port != 0 ? host_port(at) : std::string{"the other end"};
    switch (error) {
    case ECONNREFUSED: return fmt::format("port closed at {}", where);
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENETUNREACH: return fmt::format("no route to {}", where);
    case ETIMEDOUT: return fmt::format("no answer from {}", where);
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN: return fmt::format("connection closed by {}", where);
    case EACCES:
    case EPERM: return fmt::format("this machine forbids sending to {}; see its firewall", where);
    case EMSGSIZE: return fmt::format("the message is too long for {}", where);
    default: return fmt::format("{}: {}", where, std::strerror(error));
    }
}

void failures::note(const sip_t& request, std::string why) {
    std::string which = identity(request);
    const auto same = [&](const Noted& one) { return one.request == which; };
    std::erase_if(noted(), same);
    if (noted().size() >= noted_max) {
        noted().pop_front();
    }
    noted().push_back({.request = std::move(which), .why = std::move(why)});
}

bool failures::is_local(const sip_t* answer) {
    return nta_sip_is_internal(answer) != 0;
}

std::string failures::why(const sip_t* answer, int status, std::string_view phrase) {
    constexpr int timeout = 408;
    if (status == timeout) { // it was sent, whatever has failed before
        return "no answer";
    }
    const std::string which = answer != nullptr ? identity(*answer) : std::string{};
    const auto found =
        std::ranges::find_if(noted(), [&](const Noted& one) { return one.request == which; });
    if (!which.empty() && found != noted().end()) {
        return found->why;
    }
    return fmt::format("{} {}", status, base::printable(phrase, 200));
}

// ---- In front of the library's function --------------------------------------------------------

namespace {

void set_errno(msg_t* message, int error) {
    hooks.msg_set_errno.own()(message, error);
    base::at_boundary("transport error", [&] { note_error(message, error); });
}

const Standing errors{hooks.msg_set_errno, set_errno};

} // namespace

} // namespace revenant::sip
