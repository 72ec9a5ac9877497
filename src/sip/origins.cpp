// From which of our addresses a request leaves (Core::origin_for, Core::locate). That depends on
// where it goes, and where a name leads is known only when it has been looked up.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/core.hpp"
#include "sip/sofia/locate.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

bool is_numeric(const std::string& host) {
    return base::SocketAddress::numeric(host, 0).has_value();
}

bool is_v6(const std::string& host) {
    return host.find(':') != std::string::npos;
}

// An address goes with each transport that the URI allows.
std::vector<Locate::Place> places_of(const Uri& hop) {
    std::vector<Locate::Place> places;
    for (const call::Transport transport : {call::Transport::udp, call::Transport::tcp}) {
        if (hop.transport.value_or(transport) == transport) {
            places.push_back({.address = hop.host, .transport = transport});
        }
    }
    return places;
}

bool goes_by_itself(const Identity& identity) {
    return identity.outbound_proxy.empty() && identity.service_route.empty();
}

base::Result<Uri> next_hop(const Identity& identity, const Uri& target) {
    auto hop = !identity.outbound_proxy.empty()  ? read_uri(identity.outbound_proxy)
               : !identity.service_route.empty() ? read_uri(identity.service_route.front())
                                                 : base::Result<Uri>{target};
    if (hop && !hop->transport) {
        hop->transport = identity.transport;
    }
    return hop;
}

std::string from_of(const Identity& identity) {
    return identity.display_name.empty()
               ? fmt::format("<{}>", identity.aor.text)
               : fmt::format("\"{}\" <{}>", identity.display_name, identity.aor.text);
}

} // namespace

base::Result<Origin> Core::origin_for(std::string_view target, const std::string& account) const {
    auto uri = read_uri(target);
    if (!uri) {
        return base::fail(uri.error());
    }
    const Identity& who = identity(account);
    const auto hop = next_hop(who, *uri);
    return hop ? origin_at(who, *uri, *hop, places_of(*hop)) : base::fail(hop.error());
}

base::Result<Origin> Core::origin_at(const Identity& identity,
                                     const Uri& target,
                                     const Uri& hop,
                                     const std::vector<Locate::Place>& places) const {
    for (const auto& stack : stacks_) {
        std::string local;
        const auto reaches = [&](const Locate::Place& place) {
            const bool fits =
                is_v6(place.address) == stack->is_v6() && stack->takes(place.transport);
            local = fits ? stack->local_address(place.address) : std::string{};
            return !local.empty();
        };
        const auto place = std::ranges::find_if(places, reaches);
        if (place == places.end()) {
            continue;
        }
        Origin origin;
        origin.transport = place->transport;
        origin.target = target.text;
        if (!target.transport && goes_by_itself(identity)) {
            origin.target += call::transport_parameter(origin.transport);
        }
        origin.local = {.address = local, .port = stack->listen().at.port};
        origin.contact = contact_for(identity, origin.local, origin.transport);
        origin.address = address_of(identity, origin.local, origin.transport);
        origin.from = from_of(identity);
        origin.account = identity.account;
        origin.outbound_proxy = identity.outbound_proxy;
        origin.route_set = identity.service_route;
        return origin;
    }
    const std::string where = is_numeric(hop.host) || places.empty()
                                  ? std::string{}
                                  : fmt::format(" ({})", places.front().address);
    return base::fail(base::Errc::unreachable,
                      fmt::format("no listening address can reach {}{}; add one of its kind with "
                                  "--listen ADDRESS:PORT",
                                  target.text, where));
}

std::uint64_t
Core::locate(std::string_view target, const std::string& account, Agent::Located located) {
    const auto uri = read_uri(target);
    const auto hop = uri ? next_hop(identity(account), *uri) : uri;
    if (!hop || is_numeric(hop->host)) {
        located(hop ? origin_at(identity(account), *uri, *hop, places_of(*hop))
                    : base::fail(hop.error()));
        return 0;
    }
    const auto has = [this](bool v6) {
        return std::ranges::any_of(stacks_,
                                   [v6](const auto& stack) { return stack->is_v6() == v6; });
    };
    const std::uint64_t ticket = new_ticket();
    // SAFETY: the Locate is a member, and gives up in its destructor.
    lookups_[ticket] = std::make_unique<Locate>(
        *hop, Locate::Families{.v4 = has(false), .v6 = has(true)},
        [this, ticket, uri = *uri, hop = *hop, account,
         located = std::move(located)](const Locate::Result& result) {
            const auto over = lookups_.extract(ticket); // goes when this is done
            located(result.places.empty() ? base::fail(base::Errc::unreachable, result.why_none)
                                          : origin_at(identity(account), uri, hop, result.places));
        });
    return ticket;
}

} // namespace revenant::sip
