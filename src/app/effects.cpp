#include "app/effects.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "app/notices.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/overloaded.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

base::Status Effects::perform(Switchboard& board, call::Call& call, const call::Effect& effect) {
    namespace effects = call::effect;
    call::Dialog& dialog = call.dialog;
    const call::Number number = dialog.number;
    sip::Agent& agent = *board.agent_;
    base::Status status;
    const base::Overloaded act{
        [&](const effects::Persist&) {
            if (const auto segment = board.media_->segment(number)) {
                dialog.media.segment = *segment;
            }
            status = board.store_->save(dialog);
        },
        [&](const effects::Forget&) {
            if (const base::Status removed = board.store_->remove(number); !removed) {
                // The next start tries the call once more, and the peer answers 481.
                shell::print({.event = "error",
                              .call = number,
                              .tone = shell::Tone::attention,
                              .text = removed.error().context,
                              .fields = {}});
            }
        },
        [&](const effects::SendInvite&) { agent.send_invite(dialog); },
        [&](const effects::Acknowledge&) { agent.acknowledge(dialog); },
        [&](const effects::AcknowledgeStandIn&) { agent.acknowledge_stand_in(dialog); },
        [&](const effects::Respond& e) { agent.respond(dialog, e.status); },
        [&](const effects::RespondOffer& e) { agent.respond_now(dialog, e.status, e.with_sdp); },
        [&](const effects::RespondBye&) { agent.respond_now(dialog, 200, false); },
        [&](const effects::SendCancel&) { agent.send_cancel(dialog); },
        [&](const effects::SendBye&) { agent.send_bye(dialog); },
        [&](const effects::Reoffer&) { agent.reoffer(dialog); },
        [&](const effects::SendInfo& e) { agent.send_info(dialog, e.content_type, e.body); },
        [&](const effects::SendOptions&) { agent.send_options(dialog); },
        [&](const effects::Authenticate&) { agent.authenticate(dialog); },
        [&](const effects::Restore&) { agent.restore(dialog, call.cseq_base); },
        [&](const effects::Arm&) { agent.arm(dialog); },
        [&](const effects::Lift&) { agent.lift(dialog); },
        [&](const effects::Dispose&) { agent.dispose(dialog); },
        [&](const effects::Retire&) { agent.retire(number); },
        [&](const effects::RunMedia&) {
            if (dialog.media.remote.port == 0) {
                return;
            }
            if (const base::Status ran = board.media_->run(number, dialog.media, dialog.hold.local);
                !ran) {
                shell::print({.event = "media.trouble",
                              .call = number,
                              .tone = shell::Tone::bad,
                              .text = ran.error().context,
                              .fields = {}});
            }
        },
        [&](const effects::CloseMedia&) { board.media_->close(number); },
        [&](const effects::StartRetryTimer& e) {
            // SAFETY: the timers are the Switchboard's members.
            board.retry_timers_[number] = base::after_ms(
                e.delay_ms, [&board, number] { board.on_event(number, call::event::RetryDue{}); });
        },
        [&](const effects::StopRetryTimer&) { board.retry_timers_.erase(number); },
        [&](const effects::Tell& e) { shell::print(notice_of(call, e)); },
        [&](const effects::Settle& e) {
            std::optional<media::Statistics> statistics;
            if (auto got = board.media_->statistics(number)) {
                statistics = *got;
            }
            const std::int64_t since_start = base::read_clock().boot_ms() - board.started_ms_;
            const std::int64_t gap = statistics ? statistics->gap_ms : 0;
            board.ledger_.enter(call, e.verdict, e.reason, statistics, since_start + gap);
        },
    };
    std::visit(act, effect);
    return status;
}

} // namespace revenant::app
