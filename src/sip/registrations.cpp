#include "sip/registrations.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/account/effect.hpp"
#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/boundary.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/transport.hpp"
#include "sip/comeback/held_connections.hpp"
#include "sip/core.hpp"
#include "sip/sofia/challenges.hpp"
#include "sip/sofia/digest.hpp"
#include "sip/sofia/failures.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/registrar_answer.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

// Where a REGISTER is sent: the outbound proxy, else the registrar itself, by the account's
// transport.
std::string next_hop_of(const account::Registration& record) {
    const std::string& hop =
        record.outbound_proxy.empty() ? record.registrar : record.outbound_proxy;
    const auto uri = read_uri(hop);
    return uri && !uri->transport
               ? hop + fmt::format(";transport={}", call::transport_name(record.transport))
               : hop;
}

std::string contact_of(const account::Registration& record, std::uint32_t expires_s) {
    std::string contact = fmt::format("<{}>", record.contact);
    if (!record.instance_id.empty()) {
        contact += fmt::format(";+sip.instance=\"<{}>\"", record.instance_id);
    }
    if (record.reg_id != 0) {
        contact += fmt::format(";reg-id={}", record.reg_id);
    }
    contact += fmt::format(";expires={}", expires_s);
    return record.old_contact.empty()
               ? contact
               : fmt::format("{}, <{}>;expires=0", contact, record.old_contact);
}

std::string supported_of(const account::Registration& record) {
    return record.reg_id != 0 ? "path, outbound, gruu" : "path, gruu";
}

bool add_credentials(msg_t* message,
                     const account::Registration& record,
                     const std::vector<account::Challenge>& answers,
                     const Core& core) {
    const DigestRequest request{.method = "REGISTER", .uri = record.registrar, .body = {}};
    return std::ranges::all_of(answers, [&](const account::Challenge& challenge) {
        const Credentials* known = core.credentials_for(record.account, challenge.realm);
        if (known == nullptr) {
            return true; // gone meanwhile: the registrar asks again
        }
        const std::string value = authorization(challenge, *known, request);
        const bool is_proxys = challenge.is_proxys;
        return sip_add_tl(message, sip_object(message),
                          TAG_IF(!is_proxys, SIPTAG_AUTHORIZATION_STR(value.c_str())),
                          TAG_IF(is_proxys, SIPTAG_PROXY_AUTHORIZATION_STR(value.c_str())),
                          TAG_END()) >= 0;
    });
}

// The caller owns it; null when it cannot be made.
msg_t* new_register(nta_agent_t* agent,
                    const account::Registration& record,
                    const account::effect::Send& what,
                    const Core& core) {
    const std::string request = fmt::format("REGISTER {} SIP/2.0", record.registrar);
    const std::string from = fmt::format("{};tag={}", record.from, record.from_tag);
    const std::string to = fmt::format("<{}>", record.aor);
    const std::string cseq = fmt::format("{} REGISTER", record.cseq);
    const std::string contact = contact_of(record, what.expires_s);
    const std::string expires = fmt::format("{}", what.expires_s);
    const std::string supported = supported_of(record);
    msg_t* message = nta_msg_create(agent, 0);
    if (message != nullptr &&
        sip_add_tl(message, sip_object(message), SIPTAG_REQUEST_STR(request.c_str()),
                   SIPTAG_FROM_STR(from.c_str()), SIPTAG_TO_STR(to.c_str()),
                   SIPTAG_CALL_ID_STR(record.call_id.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
                   SIPTAG_CONTACT_STR(contact.c_str()), SIPTAG_EXPIRES_STR(expires.c_str()),
                   SIPTAG_MAX_FORWARDS_STR("70"), SIPTAG_SUPPORTED_STR(supported.c_str()),
                   SIPTAG_ALLOW_STR(Stack::allowed_methods), SIPTAG_USER_AGENT_STR("revenant"),
                   TAG_END()) >= 0 &&
        add_credentials(message, record, what.answers, core)) {
        return message;
    }
    msg_destroy(message);
    return nullptr;
}

} // namespace

// The stack holds its address until the transaction is destroyed.
class Registrations::Transaction {
public:
    Transaction(Registrations& all, account::Registration record)
        : all_{&all}, record_{std::move(record)} {}

    // Takes the message over.
    [[nodiscard]] bool begin(nta_agent_t* agent, msg_t* message) {
        const std::string hop = next_hop_of(record_);
        // SAFETY: destroying the request ends its callbacks.
        request_.reset(nta_outgoing_mcreate(
            agent, on_response, reinterpret_cast<nta_outgoing_magic_t*>(this),
            reinterpret_cast<const url_string_t*>(hop.c_str()), message, TAG_END()));
        return request_ != nullptr;
    }

    [[nodiscard]] const account::Registration& record() const { return record_; }

private:
    static int
    on_response(nta_outgoing_magic_t* magic, nta_outgoing_t* /*request*/, const sip_t* sip) {
        base::at_boundary("answer to REGISTER", [&] {
            if (sip != nullptr && sip->sip_status != nullptr && sip->sip_status->st_status >= 200) {
                reinterpret_cast<Transaction*>(magic)->answered(*sip);
            }
        });
        return 0;
    }

    void answered(const sip_t& sip) {
        account::event::Answered answer = read_registrar_answer(record_, sip);
        answer.is_local = failures::is_local(&sip);
        if (answer.is_local) {
            answer.reason = failures::why(&sip, answer.status, answer.reason);
        } else {
            const std::unique_ptr<msg_t, Calls<msg_destroy>> message{
                nta_outgoing_getresponse(request_.get())};
            answer.remote = source_of(message.get());
            answer.challenges = challenges_of(sip);
        }
        all_->report(*this, answer); // and destroys this
    }

    Registrations* all_; // owns this
    account::Registration record_;
    std::unique_ptr<nta_outgoing_t, Calls<nta_outgoing_destroy>> request_;
};

Registrations::Registrations(Core& core) : core_{&core} {}

Registrations::~Registrations() = default;

void Registrations::send(const account::Registration& record, const account::effect::Send& what) {
    abandon(record.account);
    Stack* stack = core_->stack_at(record.local, record.transport);
    if (stack == nullptr) {
        fail_later(record, fmt::format("nothing listens at {} any more", host_port(record.local)));
        return;
    }
    msg_t* message = new_register(stack->agent(), record, what, *core_);
    auto transaction = std::make_unique<Transaction>(*this, record);
    if (message == nullptr || !transaction->begin(stack->agent(), message)) {
        fail_later(record, "the stack cannot make the REGISTER");
        return;
    }
    open_[record.account] = std::move(transaction);
}

void Registrations::abandon(const std::string& account) {
    open_.erase(account);
}

// From the main loop, as the stack would: the caller is in the middle of performing effects.
void Registrations::fail_later(const account::Registration& record, const std::string& why) {
    const account::event::Answered answer{
        .cseq = record.cseq, .status = 503, .reason = why, .is_local = true};
    // SAFETY: the source is a member.
    failures_[record.account] = base::when_idle([this, account = record.account, answer] {
        const auto over = failures_.extract(account); // goes when this is done
        listener_->on_event(account, answer);
    });
}

void Registrations::report(const Transaction& transaction, const account::event::Answered& answer) {
    const std::string account = transaction.record().account;
    const auto over = open_.extract(account); // goes when this is done
    account::event::Answered known = answer;
    for (account::Challenged& one : known.challenges) {
        one.has_credentials = core_->credentials_for(account, one.challenge.realm) != nullptr;
    }
    listener_->on_event(account, known);
}

bool Registrations::listens(const account::Registration& record) const {
    return core_->stack_at(record.local, record.transport) != nullptr;
}

bool Registrations::has_flow(const account::Registration& record) const {
    const auto registrar = base::SocketAddress::numeric(record.remote.address, record.remote.port);
    return !call::is_stream(record.transport) || (registrar && held_connections::waits(*registrar));
}

void Registrations::learn(const account::Registration& record) {
    if (Identity* identity = core_->find_identity(record.account)) {
        identity->service_route = record.service_route;
        identity->gruu = record.gruu;
    }
}

} // namespace revenant::sip
