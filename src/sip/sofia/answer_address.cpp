#include "sip/sofia/answer_address.hpp"

#include <string>

#include <sofia-sip/hostdomain.h>

#include "revenant/base/socket_address.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

// Where the datagram has come from that was read last.
base::SocketAddress& last_heard() {
    static base::SocketAddress address;
    return address;
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
        host_ = last_heard().host();
        name_.tpn_host = host_.c_str();
        if (via.v_rport != nullptr) { // RFC 3581 §4
            port_ = std::to_string(last_heard().port());
            name_.tpn_port = port_.c_str();
        }
    }
}

void answers_go_to(const msghdr& message) {
    last_heard() = message.msg_name != nullptr
                       ? base::SocketAddress{static_cast<const sockaddr*>(message.msg_name),
                                             message.msg_namelen}
                       : base::SocketAddress{};
}

} // namespace revenant::sip
