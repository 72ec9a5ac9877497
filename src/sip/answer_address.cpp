#include "sip/answer_address.hpp"

#include <optional>
#include <string>

#include <sofia-sip/hostdomain.h>
#include <sofia-sip/tport.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/socket_address.hpp"
#include "sip/next_function.hpp"
#include "sip/nua.hpp"

namespace revenant::sip {

namespace {

// As text: that of the datagram that was read last.
struct Source {
    std::string host;
    std::string port;
};

base::SocketAddress& last_heard() {
    static base::SocketAddress address;
    return address;
}

bool is_address(const char* host) {
    return host != nullptr && host_is_ip_address(host) != 0;
}

// `source` holds what `name` points to. A `maddr` that is a name is not obeyed: it is for multicast
// (§18.1.1), and the request has come from somewhere.
void lead_back(tp_name_t& name, const sip_via_t& via, Source& source) {
    if (is_address(via.v_received)) {
        name.tpn_host = via.v_received;
    } else if (is_address(via.v_host)) {
        name.tpn_host = via.v_host;
    } else {
        source = {.host = last_heard().host(), .port = std::to_string(last_heard().port())};
        name.tpn_host = source.host.c_str();
        if (via.v_rport != nullptr) { // RFC 3581 §4
            name.tpn_port = source.port.c_str();
        }
    }
}

} // namespace

void answers_go_to(const msghdr& message) {
    last_heard() = message.msg_name != nullptr
                       ? base::SocketAddress{static_cast<const sockaddr*>(message.msg_name),
                                             message.msg_namelen}
                       : base::SocketAddress{};
}

} // namespace revenant::sip

extern "C" tport_t* tport_tsend(tport_t* transport,
                                msg_t* message,
                                const tp_name_t* to,
                                tag_type_t tag,
                                tag_value_t value,
                                ...) {
    using namespace revenant;
    using namespace revenant::sip;
    static auto* const real =
        next_function<tport_t*(tport_t*, msg_t*, const tp_name_t*, tag_type_t, tag_value_t, ...)>(
            "tport_tsend");
    tp_name_t where = to != nullptr ? *to : tp_name_t{};
    Source source;
    base::at_boundary("answer", [&] {
        const sip_t* sip = message != nullptr ? sip_object(message) : nullptr;
        const bool is_answer =
            sip != nullptr && sip->sip_status != nullptr && sip->sip_via != nullptr;
        if (to != nullptr && is_answer && !is_address(where.tpn_host)) {
            lead_back(where, *sip->sip_via, source);
        }
    });
    ta_list arguments;
    ta_start(arguments, tag, value);
    tport_t* sent = real(transport, message, to != nullptr ? &where : nullptr, ta_tags(arguments));
    ta_end(arguments);
    return sent;
}
