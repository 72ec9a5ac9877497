#include "app/switchboard.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "app/effects.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

namespace {

constexpr std::ptrdiff_t tidied_at_once = 50; // a few milliseconds
constexpr std::size_t typed_easily = 999;

} // namespace

std::string sink_of(std::string_view pattern, call::Number call) {
    std::string sink;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const std::string_view two = pattern.substr(i, 2);
        if (two == "%c" || two == "%%") {
            sink += two == "%c" ? fmt::format("{}", call) : "%";
            ++i;
        } else {
            sink += pattern[i];
        }
    }
    return sink;
}

Switchboard::Switchboard(
    journal::Store& store, media::Engine& media, CallPorts& ports, Keeping& keeping, Policy policy)
    : media_{&media}, ports_{&ports}, keeping_{&keeping}, policy_{std::move(policy)},
      // SAFETY: the Runner is a member.
      runner_{
          calls_,
          store,
          {.perform = [this](const call::Call& call,
                             const call::Effect& effect) { Effects::perform(*this, call, effect); },
           .before_save =
               [this](call::Call& call) {
                   if (const auto segment = media_->segment(call.dialog.number)) {
                       call.dialog.media.segment = *segment;
                   }
               },
           .stepped = [this](const call::Call& before,
                             const base::Status& status) { stepped(before, status); },
           .unsure = [this](call::Number number) { reserve(number); }}},
      ringing_{policy_.ringing_max}, ledger_{media} {}

void Switchboard::dial(std::string_view target, const Dialled& done) {
    const auto origin = agent_->origin_for(target);
    origin ? dial(*origin, done) : done(base::fail(origin.error()));
}

void Switchboard::dial(const sip::Origin& origin, const Dialled& done) {
    if (runner_.is_behind()) {
        done(base::fail(base::Errc::not_now,
                        "the records of the calls that there are cannot be stored as fast as they "
                        "change; try again when the store has caught up"));
        return;
    }
    const auto number = free_number();
    if (!number) {
        done(base::fail(base::Errc::not_now, fmt::format("there are {} calls already; end one "
                                                         "first",
                                                         calls_.size())));
        return;
    }
    const auto rtp = ports_->open(*number, origin.local.address, 0);
    if (!rtp) {
        done(base::fail(rtp.error()));
        return;
    }
    const media::StreamIdentity stream = media::new_stream();
    call::Call call;
    call.codecs = policy_.codecs;
    call::Dialog& dialog = call.dialog;
    dialog.number = *number;
    dialog.role = call::Role::caller;
    dialog.call_id = fmt::format("{}@{}", base::random_token(24), origin.local.address);
    dialog.local_uri = origin.from;
    dialog.local_tag = base::random_token(16);
    dialog.remote_uri = fmt::format("<{}>", origin.target);
    dialog.local_contact = origin.contact;
    dialog.remote_target = origin.target;
    dialog.outbound_proxy = policy_.outbound_proxy;
    dialog.cseq_watermark = sip::CallUsage::first_cseq + call::cseq_block;
    dialog.in_flight.cseq = sip::CallUsage::first_cseq;
    dialog.epoch = policy_.epoch;
    dialog.boot.id = base::boot_id();
    dialog.transport = origin.transport;
    dialog.local_sip = origin.local;
    dialog.media.local = *rtp;
    dialog.media.ssrc = stream.ssrc;
    dialog.media.segment = stream.segment;
    dialog.media.source = policy_.source;
    dialog.media.sink = sink_of(policy_.sink, dialog.number);
    dialog.local_sdp = call::write_offer(stream.ssrc, *rtp, call.codecs, dialog.media.ptime_ms,
                                         call::Direction::sendrecv);
    calls_.emplace(*number, std::move(call));
    keeping_->set_calls_live(true);
    apply(*number, call::event::Dial{},
          [this, number = *number, done](const base::Status& dialled) {
              if (dialled) {
                  done(number);
                  return;
              }
              ports_->close(number);
              runner_.forget(number);
              calls_.erase(number);
              keeping_->set_calls_live(!calls_.empty());
              done(base::fail(dialled.error()));
          });
}

void Switchboard::apply(call::Number number, const call::Event& event, const Runner::Done& done) {
    if (calls_.contains(number)) {
        runner_.arrive(number, event, done);
    } else if (done) {
        done(base::fail(base::Errc::not_found,
                        fmt::format("there is no call {}; `calls` lists them", number)));
    }
}

void Switchboard::stepped(const call::Call& before, const base::Status& status) {
    const call::Number number = before.dialog.number;
    const call::Call& now = calls_.at(number);
    ringing_.note(now);
    if (now.state == call::State::over && before.state != call::State::over) {
        bury(number); // before what a command does next, and after this
    }
    if (status) { // what did nothing is nothing that a command has waited for
        waits_.look(now);
    }
    if (on_step) {
        on_step(before, now);
    }
    if (on_change && (now.state != before.state || !(now.dialog.hold == before.dialog.hold))) {
        on_change();
    }
}

const call::Call* Switchboard::find(call::Number number) const {
    const auto found = calls_.find(number);
    return found != calls_.end() ? &found->second : nullptr;
}

base::Result<call::Number> Switchboard::choose(std::string_view id,
                                               const std::function<bool(const call::Call&)>& fits,
                                               std::string_view what) const {
    if (!id.empty()) {
        const auto number = base::to_u32(id);
        if (!number) {
            return base::fail(base::Errc::bad_input,
                              fmt::format("\"{}\" is no call number; `calls` lists them",
                                          base::printable(id, 40)));
        }
        if (find(*number) == nullptr) {
            return base::fail(base::Errc::not_found,
                              fmt::format("there is no call {}; `calls` lists them", *number));
        }
        return *number;
    }
    std::vector<call::Number> candidates;
    for (const auto& [number, call] : calls_) {
        if (call.state != call::State::over && fits(call)) {
            candidates.push_back(number);
        }
    }
    if (candidates.size() == 1) {
        return candidates.front();
    }
    if (candidates.empty()) {
        return base::fail(base::Errc::not_found, fmt::format("there is no call {}", what));
    }
    const std::size_t shown = std::min<std::size_t>(candidates.size(), 10);
    return base::fail(
        base::Errc::bad_input,
        fmt::format("which call? {}{} fit; give its number",
                    fmt::join(candidates.begin(),
                              candidates.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                    shown < candidates.size() ? ", …" : ""));
}

std::optional<call::Number> Switchboard::free_number() {
    if (calls_.size() >= policy_.calls_max) {
        return std::nullopt;
    }
    // Upwards: what is typed for a call that has just ended must not reach another one. Back to the
    // beginning before the numbers are long to type, if there is room.
    const std::size_t taken = calls_.size() + reserved_.size();
    const auto most = static_cast<call::Number>(
        std::min<std::size_t>(std::max(typed_easily, 2 * taken), call::number_max));
    for (call::Number tries = 0; tries < most; ++tries) {
        last_number_ = last_number_ % most + 1;
        if (!calls_.contains(last_number_) && !reserved_.contains(last_number_)) {
            return last_number_;
        }
    }
    return std::nullopt;
}

void Switchboard::bury(call::Number number) {
    buried_.push_back(number);
    if (burial_) {
        return;
    }
    // Later: the steps that led here are still on the stack. SAFETY: the source is a member.
    burial_ = base::when_idle([this] {
        burial_.reset();
        for (const call::Number dead : std::exchange(buried_, {})) {
            agent_->calls().retire(dead);
            retry_timers_.erase(dead);
            ring_timers_.erase(dead);
            ringing_.forget(dead);
            runner_.forget(dead);
            calls_.erase(dead);
        }
        keeping_->set_calls_live(!calls_.empty());
        if (on_change) {
            on_change();
        }
    });
}

// When there is nothing better to do: under load most calls are over before that, and while
// thousands come back their peers are waiting.
void Switchboard::tidy_soon(call::Number number) {
    untidy_.push_back(number);
    tidy_when_idle();
}

void Switchboard::tidy_when_idle() {
    if (!tidying_ && !tidies_later_ && !untidy_.empty()) {
        // SAFETY: the source is a member.
        tidying_ = base::when_idle([this] { tidy(); });
    }
}

void Switchboard::tidy() {
    tidying_.reset();
    const auto end = untidy_.begin() + std::min(std::ssize(untidy_), tidied_at_once);
    const std::vector<call::Number> now(untidy_.begin(), end);
    untidy_.erase(untidy_.begin(), end);
    for (const call::Number number : now) {
        if (find(number) != nullptr) {
            apply(number, call::event::Quiet{});
        }
    }
    tidy_when_idle();
}

void Switchboard::put_off_tidying(bool put_off) {
    tidies_later_ = put_off;
    tidy_when_idle();
}

void Switchboard::adopt(call::Call call) {
    const call::Number number = call.dialog.number;
    last_number_ = std::max(last_number_, number);
    ringing_.note(calls_.emplace(number, std::move(call)).first->second);
    keeping_->set_calls_live(true);
}

void Switchboard::on_wanted(call::Number number) {
    if (on_message_waits) {
        on_message_waits(number);
    }
}

void Switchboard::on_event(call::Number number, const call::Event& event) {
    // A call that is gone by now needs no answer, and a network event is no command that can fail.
    apply(number, event);
}

bool Switchboard::may_ring() {
    if (runner_.is_behind()) {
        ringing_.count_refusal("the records of the others cannot be stored fast enough");
        return false;
    }
    return ringing_.may_begin();
}

std::optional<call::Number> Switchboard::on_invite(const call::Dialog& seed) {
    const auto number = free_number();
    if (!number) {
        return std::nullopt;
    }
    const auto rtp = ports_->open(*number, seed.local_sip.address, 0);
    if (!rtp) {
        shell::print({.event = "error",
                      .call = std::nullopt,
                      .tone = shell::Tone::bad,
                      .text = "an incoming call was refused: " + rtp.error().context,
                      .fields = {}});
        return std::nullopt;
    }
    const media::StreamIdentity stream = media::new_stream();
    call::Call call;
    call.codecs = policy_.codecs;
    call.reception = {.auto_answer = policy_.auto_answer.value_or(0),
                      .no_answer_s = policy_.no_answer_s};
    call.dialog = seed;
    call::Dialog& dialog = call.dialog;
    dialog.number = *number;
    dialog.epoch = policy_.epoch;
    dialog.boot.id = base::boot_id();
    dialog.media.local = *rtp;
    dialog.media.ssrc = stream.ssrc;
    dialog.media.segment = stream.segment;
    dialog.media.source = policy_.source;
    dialog.media.sink = sink_of(policy_.sink, dialog.number);
    ringing_.note(calls_.emplace(*number, std::move(call)).first->second);
    keeping_->set_calls_live(true);
    return *number;
}

const call::Dialog* Switchboard::dialog(call::Number number) {
    const call::Call* call = find(number);
    return call != nullptr ? &call->dialog : nullptr;
}

} // namespace revenant::app
