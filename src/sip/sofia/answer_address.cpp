#include "sip/sofia/answer_address.hpp"

#include <string>

#include <sys/socket.h>

#include <sofia-sip/hostdomain.h>

#include "revenant/base/socket_address.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

// Where the datagram has come from that is being answered; a connection's answer has its way.
base::SocketAddress delivered_from() {
    if (hooks.delivery == nullptr || tport_is_dgram(hooks.delivery->transport) == 0) {
        return {};
    }
    const su_addrinfo_t* from = msg_addrinfo(hooks.delivery->message);
    return {from->ai_addr, static_cast<socklen_t>(from->ai_addrlen)};
}

bool is_address(const char* host) {
    return host != nullptr && host_is_ip_address(host) != 0;
}

} // namespace

AnswerAddress::AnswerAddress(const tp_name_t& name, const msg_t* message) : name_{name} {
    const sip_t* sip = sip_object(const_cast<msg_t*>(message)); // which it does not change
    const bool is_answer = sip != nullptr && sip->sip_status != nullptr && sip->sip_via != nullptr;
    if (is_answer && !is_address(name_.tpn_host)) {
        lead_back(*sip->sip_via);
    }
}

// A `maddr` that is a name is not obeyed: it is for multicast (§18.1.1), and the request has come
// from somewhere.
void AnswerAddress::lead_back(const sip_via_t& via) {
    if (is_address(via.v_received)) {
        name_.tpn_host = via.v_received;
    } else if (is_address(via.v_host)) {
        name_.tpn_host = via.v_host;
    } else {
        const base::SocketAddress from = delivered_from();
        host_ = from.host();
        name_.tpn_host = host_.c_str();
        if (via.v_rport != nullptr) { // RFC 3581 §4
            port_ = std::to_string(from.port());
            name_.tpn_port = port_.c_str();
        }
    }
}

} // namespace revenant::sip
