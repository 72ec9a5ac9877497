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

} // namespace

base::Result<Uri> Core::next_hop(const Uri& target) const {
    return settings_.outbound_proxy.empty() ? base::Result<Uri>{target}
                                            : read_uri(settings_.outbound_proxy);
}

base::Result<Origin> Core::origin_for(std::string_view target) const {
    auto uri = read_uri(target);
    if (!uri) {
        return base::fail(uri.error());
    }
    const auto hop = next_hop(*uri);
    return hop ? origin_at(*uri, *hop, places_of(*hop)) : base::fail(hop.error());
}

base::Result<Origin>
Core::origin_at(const Uri& target, const Uri& hop, const std::vector<Locate::Place>& places) const {
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
        if (!target.transport && settings_.outbound_proxy.empty()) {
            origin.target += call::transport_parameter(origin.transport);
        }
        origin.local = {.address = local, .port = stack->listen().at.port};
        origin.contact = contact_for(origin.local, origin.transport);
        origin.from = settings_.display_name.empty()
                          ? fmt::format("<{}>", aor_.text)
                          : fmt::format("\"{}\" <{}>", settings_.display_name, aor_.text);
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

std::uint64_t Core::locate(std::string_view target, Agent::Located located) {
    const auto uri = read_uri(target);
    const auto hop = uri ? next_hop(*uri) : uri;
    if (!hop || is_numeric(hop->host)) {
        located(hop ? origin_at(*uri, *hop, places_of(*hop)) : base::fail(hop.error()));
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
        [this, ticket, uri = *uri, hop = *hop,
         located = std::move(located)](const Locate::Result& result) {
            const auto over = lookups_.extract(ticket); // goes when this is done
            located(result.places.empty() ? base::fail(base::Errc::unreachable, result.why_none)
                                          : origin_at(uri, hop, result.places));
        });
    return ticket;
}

} // namespace revenant::sip
