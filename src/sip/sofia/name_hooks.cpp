#include "sip/sofia/name_hooks.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <netdb.h>
#include <sofia-resolv/sres.h>
#include <sofia-resolv/sres_record.h>

#include <fmt/format.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/names/name_records.hpp"
#include "sip/names/names.hpp"
#include "sip/sofia/failures.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/our_dialogs.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

// One of the library's, for a request that waits for it: what it holds as a sres_query_t.
struct Question {
    sres_resolver_t* resolver;
    sres_answer_f* answer;
    sres_context_t* request; // a nta_outgoing_t
    NameKey key;
    call::Endpoint hint = {};
    Names::Ticket ticket = 0;
};

struct Table {
    // By request: it asks one question at a time. Two answers to one, and the library aborts.
    std::unordered_map<sres_context_t*, std::unique_ptr<Question>> questions;
};

Table& table() {
    static Table one;
    return one;
}

sres_query_t* as_query(Question* question) {
    return reinterpret_cast<sres_query_t*>(question);
}

struct Unref {
    void operator()(msg_t* message) const { msg_destroy(message); }
};

using Message = std::unique_ptr<msg_t, Unref>;

Message request_of(sres_context_t* context) {
    return Message{nta_outgoing_getrequest(reinterpret_cast<nta_outgoing_t*>(context))};
}

// Where the other end of the dialog was heard last; port 0: not known. It serves requests within
// that dialog alone: a stranger may name any host as his.
call::Endpoint hint_for(const sip_t* sip) {
    const bool is_in_dialog = sip != nullptr && sip->sip_call_id != nullptr &&
                              sip->sip_from != nullptr && sip->sip_from->a_tag != nullptr &&
                              sip->sip_to != nullptr && sip->sip_to->a_tag != nullptr;
    const call::Dialog* dialog =
        is_in_dialog ? our_dialog(sip->sip_call_id->i_id, sip->sip_from->a_tag) : nullptr;
    return dialog != nullptr ? dialog->remote_sip : call::Endpoint{};
}

// The hint as a record of the kind that is asked for; none where there is none of that kind.
std::optional<NameRecord> as_record(const call::Endpoint& hint, const NameKey& key) {
    if (hint.port == 0) {
        return std::nullopt;
    }
    switch (key.type) {
    case RecordType::naptr: return std::nullopt;
    case RecordType::srv: { // _sip._udp.NAME
        const std::size_t dot = key.name.find('.', key.name.find('.') + 1);
        return dot != std::string::npos
                   ? std::optional{NameRecord{.port = hint.port,
                                              .target = key.name.substr(dot + 1)}}
                   : std::nullopt;
    }
    case RecordType::a:
    case RecordType::aaaa: {
        const auto address = base::SocketAddress::numeric(hint.address, hint.port);
        const int family = key.type == RecordType::a ? AF_INET : AF_INET6;
        return address && address->family() == family
                   ? std::optional{NameRecord{.address = hint.address}}
                   : std::nullopt;
    }
    }
    return std::nullopt;
}

void note_failure(const Question& question, Names::Outcome outcome) {
    const Message message = request_of(question.request);
    const sip_t* sip = message ? sip_object(message.get()) : nullptr;
    if (sip != nullptr && outcome != Names::Outcome::found) {
        failures::note(*sip, name_failure(outcome, question.key.name));
    }
}

// The library goes on within `answer`, and may ask for more.
void tell(sres_context_t* request, Names::Outcome outcome) {
    const auto node = table().questions.extract(request);
    if (node.empty()) {
        return;
    }
    Question& question = *node.mapped();
    sres_record_t** answers = nullptr;
    if (outcome == Names::Outcome::found) {
        answers =
            sres_cached_answers(question.resolver, static_cast<std::uint16_t>(question.key.type),
                                (question.key.name + ".").c_str());
    } else if (const auto record = as_record(question.hint, question.key)) {
        answers = Names::instance().cache().answer(question.key, *record);
    } else {
        note_failure(question, outcome);
    }
    question.answer(question.request, as_query(&question), answers);
}

std::optional<RecordType> type_of(std::uint16_t type) {
    switch (type) {
    case sres_type_a: return RecordType::a;
    case sres_type_aaaa: return RecordType::aaaa;
    case sres_type_srv: return RecordType::srv;
    case sres_type_naptr: return RecordType::naptr;
    default: return std::nullopt;
    }
}

sres_query_t* ask(Question question) {
    Names& names = Names::instance();
    if (auto before = table().questions.extract(question.request); !before.empty()) {
        names.forget(before.mapped()->ticket);
    }
    auto& slot = table().questions[question.request];
    slot = std::make_unique<Question>(std::move(question));
    const Message message = request_of(slot->request);
    slot->hint = hint_for(message ? sip_object(message.get()) : nullptr);
    const auto patience = slot->hint.port != 0 ? Names::Patience::little : Names::Patience::usual;
    slot->ticket =
        names.ask(slot->key, patience,
                  [request = slot->request](Names::Outcome outcome) { tell(request, outcome); });
    if (slot->key.type == RecordType::naptr) { // what the library asks for next
        names.prepare(name_key(RecordType::srv, "_sip._udp." + slot->key.name));
        names.prepare(name_key(RecordType::srv, "_sip._tcp." + slot->key.name));
        names.prepare(name_key(RecordType::a, slot->key.name));
    }
    return as_query(slot.get());
}

void forget(const sres_query_t* query) {
    for (auto& [request, question] : table().questions) {
        if (as_query(question.get()) == query) {
            Names::instance().forget(question->ticket);
            table().questions.erase(request);
            return;
        }
    }
}

} // namespace

sres_cache_t* name_cache() {
    return Names::instance().cache().get();
}

// ---- In front of the library's functions, and of libc's ----------------------------------------

namespace {

// Null would fail the whole request, and not this question.
sres_query_t* query(sres_resolver_t* resolver,
                    sres_answer_f* callback,
                    sres_context_t* context,
                    std::uint16_t type,
                    const char* domain) {
    constexpr std::size_t name_max = 253; // RFC 1035 §2.3.4
    sres_query_t* query = nullptr;
    base::at_boundary("name", [&] {
        const auto known_type = type_of(type);
        const std::string name = text_of(domain);
        if (resolver != nullptr && known_type && !name.empty() && name.size() <= name_max) {
            query = ask({.resolver = resolver,
                         .answer = callback,
                         .request = context,
                         .key = name_key(*known_type, name)});
        }
    });
    return query;
}

// The library cancels with it, and does nothing else.
void cancel(sres_query_t* query, sres_answer_f* /*callback*/, sres_context_t* /*context*/) {
    base::at_boundary("name", [&] { forget(query); });
}

// The library's transport waits for this one: a host is an address by then, or it has none.
int numeric_address(const char* node,
                    const char* service,
                    const addrinfo* hints,
                    addrinfo** result) {
    addrinfo wanted{};
    if (hints != nullptr) {
        wanted = *hints;
    }
    wanted.ai_flags |= AI_NUMERICHOST;
    return hooks.getaddrinfo.own()(node, service, &wanted, result);
}

const Standing queries{hooks.sres_query, query};
const Standing cancels{hooks.sres_query_bind, cancel};
const Standing addresses{hooks.getaddrinfo, numeric_address};

} // namespace

} // namespace revenant::sip
