#include "revenant/call/machine.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/sdp.hpp"
#include "revenant/call/state_traits.hpp"

namespace revenant::call {

namespace {

// How near a CSeq may come to the watermark before more are reserved: more than what the stack may
// use without telling (a refresh, its authentication, a BYE).
constexpr std::uint32_t cseq_margin = 50;

} // namespace

Step step(const Call& call, const Event& event, base::Now now) {
    return std::visit([&](const auto& e) { return on(call, e, now); }, event);
}

Call revive(Dialog dialog, std::uint32_t epoch, std::vector<Codec> codecs) {
    Call call;
    // Epochs in which the record was not written may each have used a block.
    const std::uint32_t unseen = epoch > dialog.epoch ? epoch - dialog.epoch - 1 : 0;
    const std::uint64_t base =
        std::uint64_t{dialog.cseq_watermark} + std::uint64_t{cseq_block} * unseen;
    // RFC 3261 §8.1.1.5: below 2^31. A record that says otherwise is at the end of its numbers.
    call.cseq_base = static_cast<std::uint32_t>(std::min<std::uint64_t>(base, 0x7FFF0000U));
    dialog.cseq_watermark = call.cseq_base + cseq_block;
    dialog.epoch = epoch;
    dialog.resumes += 1;
    call.dialog = std::move(dialog);
    call.codecs = std::move(codecs);
    call.settled = false;
    return call;
}

void move_into_boot(Dialog& dialog, const std::string& boot_id, base::Now now) {
    BootTimes& boot = dialog.boot;
    std::int64_t& deadline_ms = dialog.timer.deadline_ms;
    std::int64_t& ring_until_ms = dialog.in_flight.ring_until_ms;
    if (boot.id == boot_id && !boot_id.empty()) {
        const auto told = [&](std::int64_t boot_ms) {
            return std::max<std::int64_t>(now.real_ms() + (boot_ms - now.boot_ms()), 1);
        };
        deadline_ms = deadline_ms != 0 ? told(boot.deadline_ms) : 0;
        ring_until_ms = ring_until_ms != 0 ? told(boot.ring_until_ms) : 0;
        return;
    }
    const auto told = [&](std::int64_t real_ms) {
        return now.boot_ms() - (now.real_ms() - std::min(real_ms, BootTimes::most_ms));
    };
    boot = {.id = boot_id,
            .established_ms = told(dialog.established_ms),
            .deadline_ms = told(deadline_ms),
            .ring_until_ms = told(ring_until_ms)};
}

void learn(Dialog& dialog, const PeerFacts& facts, base::Now now) {
    const auto take = [](std::string& to, const std::string& from) {
        if (!from.empty()) {
            to = from;
        }
    };
    take(dialog.remote_target, facts.remote_target);
    take(dialog.peer_allow, facts.allow);
    take(dialog.peer_supported, facts.supported);
    if (facts.source.port != 0) {
        dialog.remote_sip = facts.source;
    }
    if (facts.session_expires_s != 0) {
        const std::int64_t left_ms = std::int64_t{facts.session_expires_s} * 1000;
        dialog.timer = SessionTimer{.interval_s = facts.session_expires_s,
                                    .min_se_s = std::max(dialog.timer.min_se_s, facts.min_se_s),
                                    .refresher = facts.refresher,
                                    .deadline_ms = now.real_ms() + left_ms};
        dialog.boot.deadline_ms = now.boot_ms() + left_ms;
    }
}

void stamp_answer(Dialog& dialog, base::Now now) {
    dialog.established_ms = now.real_ms();
    dialog.boot.established_ms = now.boot_ms();
}

bool note_cseq(Call& call, std::uint32_t cseq) {
    call.cseq_seen = std::max(call.cseq_seen, cseq);
    if (cseq + cseq_margin <= call.dialog.cseq_watermark) {
        return false;
    }
    call.dialog.cseq_watermark = cseq + cseq_block;
    return true;
}

std::uint32_t glare_delay_ms(const Call& call) {
    // Knuth's multiplicative hash; its upper bits are the good ones.
    const std::uint32_t mixed = (call.dialog.media.ssrc ^ call.cseq_seen) * 2'654'435'761U;
    const std::uint32_t spread = (mixed >> 8U) % 190;
    return call.dialog.role == Role::caller ? 2100 + spread * 10 : spread * 10;
}

Direction wanted(const Hold& hold) {
    return hold.local ? Direction::sendonly : Direction::sendrecv;
}

bool peer_holds(const RemoteSession& session, const Media& agreed) {
    const auto ours = std::ranges::find_if(session.streams, [&](const RemoteStream& stream) {
        return stream.media == "audio" && stream.rtp == agreed.remote;
    });
    return ours != session.streams.end() && !receives(ours->direction);
}

base::Status apply(Call& call, const RemoteSession& answer) {
    Dialog& dialog = call.dialog;
    auto media = apply_answer(answer, dialog.media, call.codecs, dialog.local_sdp);
    if (!media) {
        return base::fail(media.error());
    }
    dialog.media = std::move(*media);
    dialog.remote_sdp = answer.text;
    dialog.hold.remote = peer_holds(answer, dialog.media);
    return {};
}

void settle(Step& result, Verdict verdict, std::string reason) {
    if (!result.call.settled) {
        result.call.settled = true;
        result.effects.emplace_back(
            effect::Settle{.verdict = verdict, .reason = std::move(reason)});
    }
}

void finish(Step& result, std::string ledger_reason) {
    result.effects.emplace_back(effect::Forget{});
    result.effects.emplace_back(effect::CloseMedia{});
    settle(result, Verdict::finished, std::move(ledger_reason));
    result.call.state = State::over;
    result.call.offer_waits = false;
}

std::string check(const Call& call) {
    const Dialog& d = call.dialog;
    if (call.state == State::idle || call.state == State::over) {
        return {};
    }
    if (d.number == 0 || d.number > number_max) {
        return "a call without a number";
    }
    if (d.call_id.empty() || d.local_tag.empty()) {
        return "a call without Call-ID or local tag";
    }
    if (traits(call.state).has_dialog && (d.remote_tag.empty() || d.remote_target.empty())) {
        return "a dialog without remote tag or target";
    }
    if (traits(call.state).has_dialog && d.local_sdp.empty()) {
        return "a dialog without a session description";
    }
    if (call.offer_waits && call.state != State::modifying) {
        return "an offer that waits, of a call that is not being changed";
    }
    if (call.state == State::established && d.phase != Phase::established) {
        return "an established call that is stored as something else";
    }
    if (traits(call.state).is_coming_back && call.cseq_base + cseq_margin > d.cseq_watermark) {
        return "a birth above the stored watermark";
    }
    return {};
}

} // namespace revenant::call
