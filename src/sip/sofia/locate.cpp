#include "sip/sofia/locate.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/names/name_records.hpp"
#include "sip/names/names.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

using call::Transport;

constexpr std::size_t targets_max = 8; // of one service
// The host itself, where no service is named: UDP before TCP (RFC 3263 §4.1).
constexpr std::size_t plain_rank = 1'000'000;
constexpr std::size_t tcp_rank = 100'000; // after all services over UDP

std::size_t rank_of(Transport transport, std::size_t rank) {
    switch (transport) {
    case Transport::udp: return rank;
    case Transport::tcp:
    case Transport::tls: return rank + tcp_rank;
    }
    return rank;
}

std::optional<Transport> transport_of(const NameRecord& naptr) {
    if (!base::equals_ignoring_case(naptr.flags, "s")) {
        return std::nullopt;
    }
    if (base::equals_ignoring_case(naptr.service, "SIP+D2U")) {
        return Transport::udp;
    }
    return base::equals_ignoring_case(naptr.service, "SIP+D2T") ? std::optional{Transport::tcp}
                                                                : std::nullopt;
}

} // namespace

Locate::Locate(const Uri& hop, Families families, std::function<void(Result)> done)
    : host_{hop.host}, families_{families}, done_{std::move(done)} {
    if (hop.port == 0) {
        ask_for_services(host_, hop.transport);
    }
    for (const Transport transport : {Transport::udp, Transport::tcp}) {
        if (hop.transport.value_or(transport) == transport) {
            ask_for_addresses(host_,
                              {.transport = transport, .rank = rank_of(transport, plain_rank)});
        }
    }
}

Locate::~Locate() {
    for (const Names::Ticket ticket : waiting_) {
        Names::instance().forget(ticket);
    }
}

void Locate::ask_for_services(const std::string& name, std::optional<Transport> transport) {
    if (!transport) {
        ask(RecordType::naptr, name, {});
    }
    for (const auto& [one, prefix] :
         {std::pair{Transport::udp, "_sip._udp."}, std::pair{Transport::tcp, "_sip._tcp."}}) {
        if (transport.value_or(one) == one) {
            ask(RecordType::srv, prefix + name, {.transport = one});
        }
    }
}

void Locate::ask_for_addresses(const std::string& name, Use use) {
    if (families_.v4) {
        ask(RecordType::a, name, use);
    }
    if (families_.v6) {
        ask(RecordType::aaaa, name, use);
    }
}

void Locate::ask(RecordType type, const std::string& name, Use use) {
    const NameKey key = name_key(type, name);
    if (!asked_.emplace(key, use).second) {
        return;
    }
    // SAFETY: forgotten in the destructor. The number is not known before it is asked.
    const auto ticket = std::make_shared<Names::Ticket>();
    *ticket = Names::instance().ask(key, Names::Patience::usual,
                                    [this, key, use, ticket](Names::Outcome outcome) {
                                        waiting_.erase(*ticket);
                                        told(key, use, outcome);
                                    });
    waiting_.insert(*ticket);
}

void Locate::told(const NameKey& key, Use use, Names::Outcome outcome) {
    const bool is_found = outcome == Names::Outcome::found;
    std::vector<NameRecord> records =
        is_found ? Names::instance().records(key) : std::vector<NameRecord>{};
    switch (key.type) {
    case RecordType::naptr:
        for (const NameRecord& record : records) {
            if (const auto transport = transport_of(record)) {
                ask(RecordType::srv, record.target, {.transport = *transport});
            }
        }
        break;
    case RecordType::srv:
        std::ranges::sort(records, {}, &NameRecord::first);
        records.resize(std::min(records.size(), targets_max));
        for (const NameRecord& record : records) {
            ask_for_addresses(record.target, {.transport = use.transport,
                                              .rank = rank_of(use.transport, record.first)});
        }
        break;
    case RecordType::a:
    case RecordType::aaaa:
        outcomes_[key] = outcome;
        for (const NameRecord& record : records) {
            found_.emplace_back(use, record.address);
        }
        break;
    }
    if (waiting_.empty()) {
        finish();
    }
}

void Locate::finish() {
    std::ranges::stable_sort(found_, {}, [](const auto& one) { return one.first.rank; });
    Result result;
    for (const auto& [use, address] : found_) {
        result.places.push_back({.address = address, .transport = use.transport});
    }
    const auto any = [this](Names::Outcome outcome) {
        return std::ranges::any_of(outcomes_,
                                   [&](const auto& one) { return one.second == outcome; });
    };
    if (any(Names::Outcome::unanswered)) {
        result.why_none = name_failure(Names::Outcome::unanswered, host_);
    } else if (!any(Names::Outcome::no_record)) {
        result.why_none = name_failure(Names::Outcome::no_name, host_);
    } else if (families_.v4 && families_.v6) {
        result.why_none = name_failure(Names::Outcome::no_record, host_);
    } else {
        result.why_none = fmt::format("'{}' has no {} address; for one of the other kind, listen "
                                      "on one of that kind with --listen",
                                      base::printable(host_, 200), families_.v4 ? "IPv4" : "IPv6");
    }
    const auto done = std::move(done_);
    done(std::move(result)); // may be the end of `this`
}

} // namespace revenant::sip
