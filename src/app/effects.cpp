#include "app/effects.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "app/notices.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace effects = call::effect;

base::Status Effects::perform(Switchboard& board, call::Call& call, const call::Effect& effect) {
    return std::visit(Effects{board, call}, effect);
}

base::Status Effects::operator()(const effects::Persist& /*e*/) const {
    if (const auto segment = board_.media_->segment(number())) {
        call_.dialog.media.segment = *segment;
    }
    return board_.store_->save(call_.dialog);
}

base::Status Effects::operator()(const effects::PersistSoon& /*e*/) const {
    board_.tidy_soon(number());
    return {};
}

base::Status Effects::operator()(const effects::Forget& /*e*/) const {
    if (const base::Status removed = board_.store_->remove(number()); !removed) {
        // The next start tries the call once more, and the peer answers 481.
        say("error", shell::Tone::attention, removed.error().context);
    }
    return {};
}

base::Status Effects::operator()(const effects::Shelve& /*e*/) const {
    board_.reserve(number());
    return {};
}

base::Status Effects::operator()(const effects::SendInvite& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.send_invite(call_.dialog); });
}

base::Status Effects::operator()(const effects::RepeatInvite& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.repeat_invite(call_.dialog, call_.cseq_base); });
}

base::Status Effects::operator()(const effects::SendPrack& e) const {
    return sent([&](sip::Agent& agent) { agent.send_prack(call_.dialog, e); });
}

base::Status Effects::operator()(const effects::Acknowledge& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.acknowledge(call_.dialog); });
}

base::Status Effects::operator()(const effects::AcknowledgeStandIn& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.acknowledge_stand_in(call_.dialog); });
}

base::Status Effects::operator()(const effects::AcknowledgeAgain& e) const {
    return sent([&](sip::Agent& agent) { agent.acknowledge_again(call_.dialog, e.cseq); });
}

base::Status Effects::operator()(const effects::Respond& e) const {
    return sent([&](sip::Agent& agent) { agent.respond(call_.dialog, e.status); });
}

base::Status Effects::operator()(const effects::Reply& e) const {
    return sent([&](sip::Agent& agent) { agent.respond_now(call_.dialog, e.status, e.with_sdp); });
}

base::Status Effects::operator()(const effects::RespondBye& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.respond_now(call_.dialog, 200, false); });
}

base::Status Effects::operator()(const effects::SendCancel& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.send_cancel(call_.dialog); });
}

base::Status Effects::operator()(const effects::SendBye& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.send_bye(call_.dialog); });
}

base::Status Effects::operator()(const effects::Reoffer& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.reoffer(call_.dialog); });
}

base::Status Effects::operator()(const effects::Describe& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.describe(call_.dialog); });
}

base::Status Effects::operator()(const effects::SendInfo& e) const {
    return sent([&](sip::Agent& agent) { agent.send_info(call_.dialog, e.content_type, e.body); });
}

base::Status Effects::operator()(const effects::SendOptions& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.send_options(call_.dialog); });
}

base::Status Effects::operator()(const effects::Authenticate& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.authenticate(call_.dialog); });
}

base::Status Effects::operator()(const effects::Restore& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.restore(call_.dialog, call_.cseq_base); });
}

base::Status Effects::operator()(const effects::Replay& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.replay(call_.dialog); });
}

base::Status Effects::operator()(const effects::ReplayPrack& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.replay_prack(call_.dialog); });
}

base::Status Effects::operator()(const effects::Arm& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.arm(call_.dialog); });
}

base::Status Effects::operator()(const effects::Lift& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.lift(call_.dialog); });
}

base::Status Effects::operator()(const effects::Dispose& /*e*/) const {
    return sent([&](sip::Agent& agent) { agent.dispose(call_.dialog); });
}

base::Status Effects::operator()(const effects::RunMedia& /*e*/) const {
    const call::Dialog& dialog = call_.dialog;
    if (dialog.media.remote.port == 0) {
        return {};
    }
    const base::Status ran = board_.media_->run(number(), dialog.media, dialog.hold.local);
    if (!ran) {
        // The call stands without its audio; ending it is the user's decision.
        say("media.trouble", shell::Tone::bad, ran.error().context);
    }
    return {};
}

base::Status Effects::operator()(const effects::CloseMedia& /*e*/) const {
    board_.close_ports(number());
    return {};
}

base::Status Effects::operator()(const effects::StartRetryTimer& e) const {
    // SAFETY: the timers are the Switchboard's members.
    board_.retry_timers_[number()] =
        base::after_ms(e.delay_ms, [board = &board_, number = number()] {
            board->on_event(number, call::event::RetryDue{});
        });
    return {};
}

base::Status Effects::operator()(const effects::StopRetryTimer& /*e*/) const {
    board_.retry_timers_.erase(number());
    return {};
}

base::Status Effects::operator()(const effects::StartRingTimer& e) const {
    // SAFETY: the timers are the Switchboard's members.
    board_.ring_timers_[number()] =
        base::after_ms(e.delay_ms, [board = &board_, number = number()] {
            board->on_event(number, call::event::RingDue{});
        });
    return {};
}

base::Status Effects::operator()(const effects::Tell& e) const {
    shell::Notice notice = notice_of(call_, e, board_.policy_.resumes_by_itself);
    if (e.news == call::News::ended && call_.dialog.established_ms != 0) {
        auto media = board_.media_->final_statistics(number());
        if (!media) {
            const auto running = board_.media_->statistics(number());
            media = running ? std::optional{*running} : std::nullopt;
        }
        const std::int64_t lasted_ms =
            base::read_clock().boot_ms() - call_.dialog.boot.established_ms;
        add_account(notice, std::max<std::int64_t>(lasted_ms, 0), media);
    }
    shell::print(notice);
    return {};
}

base::Status Effects::operator()(const effects::Settle& e) const {
    board_.settle(call_, e.verdict, e.reason);
    return {};
}

template <typename Say>
base::Status Effects::sent(const Say& say_it) const {
    say_it(*board_.agent_);
    return {};
}

void Effects::say(const char* event, shell::Tone tone, const std::string& text) const {
    shell::print({.event = event,
                  .call = number(),
                  .tone = tone,
                  .text = fmt::format("call {}: {}", number(), text),
                  .fields = {}});
}

} // namespace revenant::app
