#include "sip/sofia/transactions.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sofia-sip/su_tag_class.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/answer_address.hpp"
#include "sip/sofia/arrival.hpp"
#include "sip/sofia/message_guard.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

using Message = std::unique_ptr<msg_t, Calls<msg_destroy>>;

// All that there are, in no order.
std::vector<nta_agent_t*>& agents() {
    static std::vector<nta_agent_t*> all;
    return all;
}

bool is_repeatable(sip_method_t method) {
    return method == sip_method_invite || method == sip_method_prack;
}

bool is_loose(const std::string& route) {
    const auto uri = read_uri(route);
    return uri && uri->loose_route;
}

// Whether the request that a response is for is in no state to be answered so. One that has not
// left, because it waits for a name or for the INVITE's first response, has no transport, and the
// library asserts that it has. And a provisional response that comes behind the final one, as
// datagrams do, would make it forget that it owes an ACK.
bool is_untimely_for(nta_agent_t* agent, const sip_t& answer) {
    const Message any{nta_msg_create(agent, 0)}; // wanted, and not looked at
    nta_outgoing_t* found = nta_outgoing_find(agent, any.get(), &answer, answer.sip_via);
    const Message request{nta_outgoing_getrequest(found)};
    if (request == nullptr) {
        return false;
    }
    const bool has_left = msg_is_prepared(request.get()) != 0;
    return !has_left || (answer.sip_status->st_status < 200 && nta_outgoing_status(found) >= 200);
}

bool is_untimely(const sip_t& sip) {
    return sip.sip_status != nullptr && std::ranges::any_of(agents(), [&](nta_agent_t* agent) {
               return is_untimely_for(agent, sip);
           });
}

// The library names the header field in its 400 that stands first among the bad ones.
void blame(sip_t& sip, const char* name) {
    static sip_error_t error;
    error.er_common->h_class = sip_error_class;
    error.er_name = name;
    sip.sip_error = &error;
}

// Whether the message may go on. The library has it for const here, and is about to act on it.
bool passes(sip_t& sip) {
    const Reach reach = reach_of(sip);
    if (const char* name = unacceptable(sip, reach)) {
        blame(sip, name);
        return false;
    }
    if (is_untimely(sip)) {
        return false;
    }
    take_off_unusable(sip, reach);
    return true;
}

// The hop that a message goes to has taken a connection from us, or we one from it.
bool is_connected(tport_t* transport, const tp_name_t& hop) {
    tp_name_t name = hop;
    name.tpn_proto = "tcp";
    name.tpn_ident = nullptr;
    const tport_t* tcp = tport_primary_by_name(transport, &name);
    const tport_t* found = tcp != nullptr ? tport_by_name(tcp, &name) : nullptr;
    return found != nullptr && tport_is_secondary(found) != 0 && tport_is_connected(found) != 0;
}

// Whether a message stays on UDP whatever its size. The library gives a request of more than 1,300
// bytes to TCP (RFC 3261 §18.1.1), and when that is refused sends it by UDP all the same; but it
// forgets an ACK. And an ACK to a refusal, as a CANCEL, goes where its INVITE went (§9.1,
// §17.1.1.3). An INVITE that has found TCP has left a connection.
bool stays_on_udp(tport_t* transport, msg_t* message, const tp_name_t& hop) {
    const sip_t* sip = sip_object(message);
    const tp_name_t* own = tport_name(transport);
    if (sip == nullptr || sip->sip_request == nullptr || own == nullptr ||
        !base::equals_ignoring_case(text_of(own->tpn_proto), "udp")) {
        return false;
    }
    const sip_method_t method = sip->sip_request->rq_method;
    return method == sip_method_cancel ||
           (method == sip_method_ack && !is_connected(transport, hop));
}

} // namespace

std::string invite_branch(std::string_view from_tag, std::uint32_t cseq) {
    return fmt::format("z9hG4bK{}.{}", from_tag, cseq);
}

const tag_typedef_t agent_slot = PTRTAG_TYPEDEF(agent_slot);

msg_t* new_request(nta_agent_t* agent,
                   const call::Dialog& dialog,
                   std::string_view method,
                   std::uint32_t cseq) {
    // RFC 3261 §12.2.1.1: a strict router gets the request under its own name.
    std::vector<std::string> routes = dialog.route_set;
    std::string target = dialog.remote_target;
    if (!routes.empty() && !is_loose(routes.front())) {
        const auto router = read_uri(routes.front());
        routes.push_back("<" + target + ">");
        target = router ? router->text : target;
        routes.erase(routes.begin());
    }
    const std::string request = fmt::format("{} {} SIP/2.0", method, target);
    const std::string from = fmt::format("{};tag={}", dialog.local_uri, dialog.local_tag);
    const std::string to = fmt::format("{};tag={}", dialog.remote_uri, dialog.remote_tag);
    const std::string number = fmt::format("{} {}", cseq, method);
    const std::string route = fmt::format("{}", fmt::join(routes, ", "));
    msg_t* message = nta_msg_create(agent, 0);
    sip_t* sip = sip_object(message);
    if (sip_add_tl(message, sip, SIPTAG_REQUEST_STR(request.c_str()), SIPTAG_FROM_STR(from.c_str()),
                   SIPTAG_TO_STR(to.c_str()), SIPTAG_CALL_ID_STR(dialog.call_id.c_str()),
                   SIPTAG_CSEQ_STR(number.c_str()), SIPTAG_MAX_FORWARDS_STR("70"),
                   TAG_IF(!route.empty(), SIPTAG_ROUTE_STR(route.c_str())), TAG_END()) < 0) {
        msg_destroy(message);
        return nullptr;
    }
    return message;
}

void acknowledge_again(nta_agent_t* agent, const call::Dialog& dialog, std::uint32_t cseq) {
    msg_t* message = new_request(agent, dialog, "ACK", cseq);
    if (message == nullptr) {
        return;
    }
    const char* proxy = dialog.outbound_proxy.empty() ? nullptr : dialog.outbound_proxy.c_str();
    nta_outgoing_t* ack =
        nta_outgoing_mcreate(agent, nullptr, nullptr, reinterpret_cast<const url_string_t*>(proxy),
                             message, NTATAG_STATELESS(1), TAG_END());
    if (ack == nullptr) {
        msg_destroy(message);
        return;
    }
    nta_outgoing_destroy(ack);
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

nta_agent_t* create_agent(su_root_t* root,
                          const url_string_t* name,
                          nta_message_f* callback,
                          nta_agent_magic_t* magic,
                          const tagi_t* tags) {
    nta_agent_t* agent = hooks.nta_agent_create.own()(root, name, callback, magic, TAG_NEXT(tags));
    if (agent != nullptr) {
        agents().push_back(agent);
    }
    if (const tagi_t* slot = tl_find(tags, agent_slot)) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): what a tag's value is
        *reinterpret_cast<nta_agent_t**>(slot->t_value) = agent;
    }
    return agent;
}

void destroy_agent(nta_agent_t* agent) {
    std::erase(agents(), agent);
    hooks.nta_agent_destroy.own()(agent);
}

tport_t* send(tport_t* transport, msg_t* message, const tp_name_t* hop, const tagi_t* tags) {
    constexpr unsigned most = 65535; // of a datagram
    const AnswerAddress where{hop != nullptr ? *hop : tp_name_t{}, message};
    const bool stays = transport != nullptr && message != nullptr && hop != nullptr &&
                       stays_on_udp(transport, message, *hop);
    return hooks.tport_tsend.own()(transport, message, hop != nullptr ? &where.name() : nullptr,
                                   TAG_IF(stays, TPTAG_MTU(most)), // not first:
                                   TAG_NEXT(tags));                // only a default
}

nta_outgoing_t* make_request(nta_agent_t* agent,
                             nta_response_f* callback,
                             nta_outgoing_magic_t* magic,
                             const url_string_t* route,
                             msg_t* message,
                             const tagi_t* tags) {
    const sip_t* sip = sip_object(message);
    std::string branch;
    if (sip != nullptr && sip->sip_request != nullptr && sip->sip_cseq != nullptr &&
        is_repeatable(sip->sip_request->rq_method) && sip->sip_from != nullptr &&
        sip->sip_from->a_tag != nullptr) {
        branch = invite_branch(sip->sip_from->a_tag, sip->sip_cseq->cs_seq);
    }
    return hooks.nta_outgoing_mcreate.own()(
        agent, callback, magic, route, message,
        TAG_IF(!branch.empty(), NTATAG_BRANCH_KEY(branch.c_str())), TAG_NEXT(tags));
}

// Each message that comes in must pass it.
int check_sanity(const sip_t* sip) {
    if (hooks.sip_sanity_check.own()(sip) < 0) {
        return -1;
    }
    bool may_pass = false;
    base::at_boundary("a message from the network",
                      [&] { may_pass = passes(const_cast<sip_t&>(*sip)); });
    return may_pass ? 0 : -1;
}

const Standing creation{hooks.nta_agent_create, create_agent};
const Standing destruction{hooks.nta_agent_destroy, destroy_agent};
const Standing sending{hooks.tport_tsend, send};
const Standing requests{hooks.nta_outgoing_mcreate, make_request};
const Standing sanity{hooks.sip_sanity_check, check_sanity};

} // namespace

} // namespace revenant::sip
