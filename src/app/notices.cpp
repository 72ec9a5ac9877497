#include "app/notices.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/commands/digits.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

using call::News;
using shell::Tone;

struct Wording {
    Tone tone = Tone::plain;
    std::string text;
};

// Whose word the status is: the peer's, or that of this phone, which has heard nothing. Empty:
// there is no status.
std::string_view source_of(const call::Call& call, const call::effect::Tell& tell) {
    constexpr std::string_view local = "local";
    constexpr std::string_view peer = "peer";
    if (tell.status == 0) {
        return {};
    }
    if (tell.news == News::progress) {
        return peer;
    }
    if (tell.news == News::requested) {
        return call.request_is_local ? local : peer;
    }
    // Else it is what we have said, or what the stack has made up.
    return tell.status == call.last_status && !call.last_is_local ? peer : local;
}

std::string
with_status(const call::Call& call, std::string_view what, const call::effect::Tell& tell) {
    const std::string_view source = source_of(call, tell);
    if (source == "peer") {
        return fmt::format("{}: the other end says {} {}", what, tell.status, tell.detail);
    }
    return tell.detail.empty() ? std::string{what} : fmt::format("{}: {}", what, tell.detail);
}

std::string retrying(const call::Call& call, const call::effect::Tell& tell) {
    const std::string_view source = source_of(call, tell);
    const std::string why = source.empty()     ? std::string{"no answer"}
                            : source == "peer" ? fmt::format("answer {}", tell.status)
                                               : call.last_reason;
    return fmt::format("{}; trying again in {}", why, tell.detail);
}

std::string duration_text(std::int64_t ms) {
    const std::int64_t seconds = ms / 1000;
    return seconds < 3600
               ? fmt::format("{}:{:02}", seconds / 60, seconds % 60)
               : fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

Wording ended(const call::Call& call, const call::effect::Tell& tell) {
    const std::string why = tell.why.empty() ? std::string{} : ": " + tell.why;
    if (tell.detail == "local") {
        return {.tone = Tone::plain, .text = tell.status == 487 ? "canceled" : "ended by us"};
    }
    if (tell.detail == "remote") {
        const bool early = call.dialog.established_ms == 0;
        return {.tone = Tone::plain,
                .text = (early ? "the caller gave up" : "the other end hung up") + why};
    }
    if (tell.detail == "timer") {
        return {.tone = Tone::attention, .text = "ended: the session timer ran out"};
    }
    if (tell.detail == "refusal") {
        return {.tone = Tone::attention,
                .text = fmt::format("ended: the other end has answered {}{}", tell.status, why)};
    }
    return {.tone = Tone::attention, .text = "ended" + why};
}

Wording incoming(const call::Call& call, const std::string& who) {
    if (call.state != call::State::alerting) {
        return {.tone = Tone::plain, .text = "incoming call from " + who};
    }
    return {.tone = Tone::attention,
            .text = fmt::format("incoming call from {}; type `answer {}` or `decline {}`", who,
                                call.dialog.number, call.dialog.number)};
}

Wording lost(const call::Call& call, const std::string& why) {
    return {.tone = Tone::bad,
            .text = call.state == call::State::over
                        ? fmt::format("could not be rebuilt: {}; its record is kept", why)
                        : fmt::format("could not be resumed ({}); it is kept, `reinvite {}` tries "
                                      "again",
                                      why, call.dialog.number)};
}

Wording wording(const call::Call& call, const call::effect::Tell& tell, bool resumes_by_itself) {
    const std::string who = base::printable(call.dialog.remote_uri, 200);
    switch (tell.news) {
    case News::calling:
        return {.tone = Tone::plain,
                .text = (tell.detail.empty() ? "calling " : "still calling ") + who};
    case News::progress:
        return {.tone = Tone::plain,
                .text = fmt::format("progress: {} {}", tell.status, tell.detail)};
    case News::incoming: return incoming(call, who);
    case News::established:
        return {.tone = Tone::good,
                .text = fmt::format("established with {} ({})", who, call.dialog.media.codec.name)};
    case News::held:
        return {.tone = Tone::attention,
                .text = tell.detail == "local" ? "on hold" : "the other end has put us on hold"};
    case News::unheld:
        return {.tone = Tone::good,
                .text =
                    tell.detail == "local" ? "off hold" : "the other end has taken us off hold"};
    case News::refreshed: return {.tone = Tone::faint, .text = "session refreshed"};
    case News::info: {
        const auto digit = digit_in(tell.detail);
        return {.tone = Tone::plain,
                .text = digit ? fmt::format("digit {}", *digit)
                              : "INFO " + base::printable(tell.detail, 700)};
    }
    case News::requested:
        return {.tone = Tone::plain,
                .text = call.request_is_local ? tell.detail
                                              : fmt::format("{} ({})", tell.detail, tell.status)};
    case News::refused:
        return {.tone = Tone::attention, .text = with_status(call, "refused", tell)};
    case News::ended: return ended(call, tell);
    case News::failed: return {.tone = Tone::bad, .text = with_status(call, "failed", tell)};
    case News::restored:
        return {.tone = Tone::attention,
                .text = resumes_by_itself
                            ? "found again: " + who
                            : fmt::format("found again: {}; type `reinvite {}` to go on with it",
                                          who, call.dialog.number)};
    case News::resuming: return {.tone = Tone::plain, .text = "re-INVITE to " + who};
    case News::resumed:
        return {.tone = Tone::good, .text = fmt::format("alive again with {}", who)};
    case News::retrying: return {.tone = Tone::attention, .text = retrying(call, tell)};
    case News::gone:
        return {.tone = Tone::attention,
                .text = with_status(call, "the other end had ended the call", tell)};
    case News::lost: return lost(call, tell.detail);
    case News::trouble: return {.tone = Tone::bad, .text = with_status(call, "trouble", tell)};
    }
    return {};
}

} // namespace

void tell(std::string event, shell::Tone tone, std::string text) {
    shell::print({.event = std::move(event),
                  .call = std::nullopt,
                  .tone = tone,
                  .text = std::move(text),
                  .fields = {}});
}

shell::Notice
notice_of(const call::Call& call, const call::effect::Tell& tell, bool resumes_by_itself) {
    const Wording words = wording(call, tell, resumes_by_itself);
    shell::Notice notice{.event = fmt::format("call.{}", name(tell.news)),
                         .call = call.dialog.number,
                         .tone = words.tone,
                         .text = fmt::format("call {}: {}", call.dialog.number, words.text),
                         .fields = {{"remote", base::printable(call.dialog.remote_uri, 200)},
                                    {"call_id", base::printable(call.dialog.call_id, 200)}},
                         .rings = tell.news == News::incoming};
    if (tell.status != 0) {
        notice.fields.emplace_back("status", std::int64_t{tell.status});
        notice.fields.emplace_back("source", std::string{source_of(call, tell)});
    }
    if (const auto digit = tell.news == News::info ? digit_in(tell.detail) : std::nullopt) {
        notice.fields.emplace_back("digit", std::string{*digit});
    }
    add_answer(notice, tell.round_trip_ms, tell.allow);
    switch (tell.news) {
    case News::ended:
        notice.fields.emplace_back("by", tell.detail);
        if (!tell.why.empty()) {
            notice.fields.emplace_back("reason", tell.why);
        }
        break;
    case News::held:
    case News::unheld: notice.fields.emplace_back("by", tell.detail); break;
    case News::resumed:
        if (const auto cseq = base::to_u32(tell.detail)) { // of our re-INVITE
            notice.fields.emplace_back("cseq", std::int64_t{*cseq});
        }
        break;
    case News::retrying:
        notice.fields.emplace_back("reason", call.last_reason);
        notice.fields.emplace_back("delay", tell.detail);
        break;
    case News::calling:
    case News::progress:
    case News::incoming:
    case News::established:
    case News::refreshed:
    case News::info: notice.fields.emplace_back("reason", base::printable(tell.detail, 700)); break;
    case News::requested:
    case News::refused:
    case News::failed:
    case News::restored:
    case News::resuming:
    case News::gone:
    case News::lost:
    case News::trouble:
        if (!tell.detail.empty()) {
            notice.fields.emplace_back("reason", tell.detail);
        }
        break;
    }
    return notice;
}

void add_answer(shell::Notice& notice, std::int64_t round_trip_ms, const std::string& allow) {
    if (round_trip_ms >= 0) {
        notice.text += fmt::format(", after {} ms", round_trip_ms);
        notice.fields.emplace_back("round_trip_ms", round_trip_ms);
    }
    if (!allow.empty()) {
        notice.text += "; it takes " + base::printable(allow, 500);
        notice.fields.emplace_back("allow", base::printable(allow, 500));
    }
}

void add_account(shell::Notice& notice,
                 std::int64_t duration_ms,
                 const std::optional<media::Statistics>& media) {
    notice.text += " after " + duration_text(duration_ms);
    notice.fields.emplace_back("duration_ms", duration_ms);
    if (!media) {
        return;
    }
    const auto count = [&](const char* key, std::uint64_t value) {
        notice.fields.emplace_back(key, static_cast<std::int64_t>(value));
    };
    notice.text += fmt::format(
        "; {} packets sent, {} received, {} lost, {} late, jitter {:.1f} ms; "
        "far end: {} lost, jitter {:.1f} ms, round trip {}",
        media->packets_sent, media->packets_received, media->packets_lost, media->packets_late,
        media->jitter_ms, media->remote_lost, media->remote_jitter_ms,
        media->round_trip_ms ? fmt::format("{:.1f} ms", *media->round_trip_ms)
                             : std::string{"not known"});
    count("packets_sent", media->packets_sent);
    count("packets_received", media->packets_received);
    count("packets_lost", media->packets_lost);
    count("packets_late", media->packets_late);
    count("remote_lost", media->remote_lost);
    notice.fields.emplace_back("jitter_ms", media->jitter_ms);
    notice.fields.emplace_back("remote_jitter_ms", media->remote_jitter_ms);
    if (media->round_trip_ms) {
        notice.fields.emplace_back("round_trip_ms", *media->round_trip_ms);
    }
}

} // namespace revenant::app
