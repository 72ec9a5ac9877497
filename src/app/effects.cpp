#include "app/effects.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
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

void Effects::perform(Switchboard& board, const call::Call& call, const call::Effect& effect) {
    const Effects self{board, call};
    std::visit(
        [&](const auto& e) {
            using Kind = std::remove_cvref_t<decltype(e)>;
            if constexpr (call::SaysSip<Kind>) {
                board.agent_->calls().perform(call, e);
            } else if constexpr (!std::is_same_v<Kind, effects::Persist> &&
                                 !std::is_same_v<Kind, effects::Forget>) {
                self.run(e);
            }
        },
        effect);
}

void Effects::run(const effects::PersistSoon& /*e*/) const {
    board_.tidy_soon(number());
}

void Effects::run(const effects::Shelve& /*e*/) const {
    board_.reserve(number());
}

void Effects::run(const effects::RunMedia& /*e*/) const {
    const call::Dialog& dialog = call_.dialog;
    if (dialog.media.remote.port == 0) {
        return;
    }
    const base::Status ran = board_.media_->run(number(), dialog.media, dialog.hold.local);
    if (!ran) {
        // The call stands without its audio; ending it is the user's decision.
        say("media.trouble", shell::Tone::bad, ran.error().context);
    }
}

void Effects::run(const effects::CloseMedia& /*e*/) const {
    board_.ports_->close(number());
}

void Effects::run(const effects::StartRetryTimer& e) const {
    // SAFETY: the timers are the Switchboard's members.
    board_.retry_timers_[number()] =
        base::after_ms(e.delay_ms, [board = &board_, number = number()] {
            board->on_event(number, call::event::RetryDue{});
        });
}

void Effects::run(const effects::StopRetryTimer& /*e*/) const {
    board_.retry_timers_.erase(number());
}

void Effects::run(const effects::StartRingTimer& e) const {
    // SAFETY: the timers are the Switchboard's members.
    board_.ring_timers_[number()] =
        base::after_ms(e.delay_ms, [board = &board_, number = number()] {
            board->on_event(number, call::event::RingDue{});
        });
}

void Effects::run(const effects::Tell& e) const {
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
}

void Effects::run(const effects::Settle& e) const {
    board_.ledger_.settle(call_.dialog, e.verdict, e.reason);
}

void Effects::say(const char* event, shell::Tone tone, const std::string& text) const {
    shell::print({.event = event,
                  .call = number(),
                  .tone = tone,
                  .text = fmt::format("call {}: {}", number(), text),
                  .fields = {}});
}

} // namespace revenant::app
