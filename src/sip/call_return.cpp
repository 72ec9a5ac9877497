// A start with dialogs of an earlier life: its sockets, what has come in meanwhile, and the INVITEs
// of callers who still wait.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "sip/comeback/held_connections.hpp"
#include "sip/comeback/held_sockets.hpp"
#include "sip/comeback/inject.hpp"
#include "sip/legs.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

constexpr std::uint32_t replay_within_ms = 5000;

std::optional<base::SocketAddress> socket_address(const call::Endpoint& endpoint) {
    return base::SocketAddress::numeric(endpoint.address, endpoint.port);
}

// What the caller has sent to an earlier life, read by the stack once more.
base::Status say_again(const Leg& leg, const call::Dialog& dialog, const std::string& message) {
    const auto from = socket_address(dialog.remote_sip);
    if (message.empty() || !from) {
        return base::fail(base::Errc::corrupt, "the stored INVITE is none, or from nowhere");
    }
    if (call::is_stream(dialog.transport)) {
        return held_connections::say_first(*from, message)
                   ? base::Status{}
                   : base::fail(base::Errc::io, "the caller's connection is gone");
    }
    const auto own = socket_address(leg.stack().listen().at);
    const auto to = own ? held_sockets::reads_at(*own) : std::nullopt;
    return to ? inject(*to, message, *from)
              : base::fail(base::Errc::io, "nobody listens where the INVITE came in");
}

} // namespace

bool Legs::hears_caller(const call::Dialog& dialog) const {
    if (!call::is_stream(dialog.transport)) {
        return true;
    }
    const auto caller = socket_address(dialog.remote_sip);
    return caller && held_connections::waits(*caller);
}

void Legs::say(const call::Call& call, const call::effect::Replay& /*e*/) {
    const call::Dialog& dialog = call.dialog;
    Leg* leg = this->leg(dialog.number);
    if (leg == nullptr) {
        return;
    }
    leg->is_replaying = true;
    leg->call_id = dialog.call_id;
    ringing_[leg->call_id] = dialog.number;
    // A PRACK that has come does not come again over a stream; it is not waited for.
    const bool reliable = !call::is_stream(dialog.transport) || dialog.in_flight.prack.empty();
    const std::string invite = with_to_tag(dialog.in_flight.invite, dialog.local_tag, reliable);
    if (const base::Status done = say_again(*leg, dialog, invite); !done) {
        report_terminated(dialog.number, done.error().context);
    }
}

void Legs::say(const call::Call& call, const call::effect::ReplayPrack& /*e*/) {
    // The response goes first: signals to the stack are served before what is idle.
    // SAFETY: the sources are members.
    reports_.push_back(base::when_idle([this, number = call.dialog.number] {
        const Leg* leg = this->leg(number);
        const call::Dialog* now = listener_->dialog(number);
        if (leg != nullptr && now != nullptr) { // lost: as if never sent
            static_cast<void>(say_again(*leg, *now, now->in_flight.prack));
        }
    }));
}

void Legs::expect(const std::vector<std::pair<std::string, call::Number>>& call_ids) {
    for (const auto& [call_id, number] : call_ids) {
        awaited_.try_emplace(call_id, Awaited{.call = number});
    }
    // SAFETY: the reader is a member.
    early_reader_.emplace(held_sockets::unread(),
                          [this](std::string_view call_id) { return is_awaited(call_id); });
}

bool Legs::is_awaited(std::string_view call_id) {
    const auto found = awaited_.find(std::string{call_id});
    if (found == awaited_.end()) {
        return false;
    }
    if (!std::exchange(found->second.is_wanted, true)) {
        listener_->on_wanted(found->second.call);
    }
    return true;
}

// What has been put aside for a dialog that is there now.
void Legs::has_come(const std::string& call_id) {
    if (early_reader_ && awaited_.erase(call_id) > 0) {
        early_reader_->release(call_id);
    }
}

base::Status Legs::adopt_held_sockets(std::function<void()> read) {
    if (early_reader_) {
        early_reader_->stop();
    }
    base::Status adopted = held_sockets::adopt();
    awaited_.clear();
    if (early_reader_) {
        early_reader_->release_all();
        early_reader_.reset();
    }
    held_connections::give_back();
    // SAFETY: the source is a member.
    overdue_ = base::after_ms(replay_within_ms, [this] { end_overdue_replays(); });
    queue_end_.emplace(std::move(read));
    return adopted;
}

// The connection that an INVITE was to come in with was lost on the way to the stack.
void Legs::end_overdue_replays() {
    for (const auto& [number, leg] : legs_) {
        if (leg->is_replaying) {
            report_terminated(number, "the caller's connection is gone");
        }
    }
}

} // namespace revenant::sip
