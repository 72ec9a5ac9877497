// The Switchboard's way back from a restart: records become calls, calls go through the stand-in,
// and their re-INVITEs leave, never too many at once.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/switchboard.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

// More at once overflow the default receive buffer of a peer (92 messages).
constexpr std::size_t window = 50;

constexpr std::uint32_t progress_ms = 1000;

// A call whose peer does not answer is not to keep the suspects waiting for its whole 32 s.
constexpr std::uint32_t patience_ms = 2000;

// A stream that may send does so within a packet's time; one that may not never does.
constexpr std::uint32_t settle_try_ms = 10;
constexpr int settle_tries_max = 10;

// Who has the least time left comes first; no timer at all: last.
bool is_more_urgent(const call::Dialog& a, const call::Dialog& b) {
    const auto key = [](const call::Dialog& d) {
        return std::pair{d.timer.deadline_ms == 0, d.boot.deadline_ms};
    };
    return key(a) < key(b);
}

bool has_ports(const call::Dialog& record) {
    return record.phase != call::Phase::ending && record.media.local.port != 0;
}

} // namespace

// Two records of one dialog, as somebody who copies files makes them, would both speak for it. The
// one with the higher watermark knows more.
std::vector<call::Dialog*> Switchboard::without_copies(std::vector<call::Dialog>& dialogs) {
    const auto identity = [](const call::Dialog& d) {
        return std::tie(d.call_id, d.local_tag, d.remote_tag);
    };
    std::vector<call::Dialog*> all;
    all.reserve(dialogs.size());
    std::ranges::transform(dialogs, std::back_inserter(all), [](call::Dialog& d) { return &d; });
    std::ranges::sort(all, [&](const call::Dialog* a, const call::Dialog* b) {
        return identity(*a) != identity(*b) ? identity(*a) < identity(*b)
                                            : a->cseq_watermark > b->cseq_watermark;
    });
    std::vector<call::Dialog*> kept;
    kept.reserve(all.size());
    for (call::Dialog* dialog : all) {
        if (kept.empty() || identity(*kept.back()) != identity(*dialog)) {
            kept.push_back(dialog);
            continue;
        }
        reserve(dialog->number);
        shell::print({.event = "journal.copy",
                      .call = dialog->number,
                      .tone = shell::Tone::bad,
                      .text = fmt::format("call {} is left alone: call {}'s record speaks for the "
                                          "same dialog; remove dialogs/{}.json if it is a copy",
                                          dialog->number, kept.back()->number, dialog->number),
                      .fields = {}});
    }
    return kept;
}

bool Switchboard::reopen_ports(const call::Dialog& record) {
    const auto bound =
        open_ports(record.number, record.media.local.address, record.media.local.port);
    if (!bound) {
        shell::print({.event = "media.trouble",
                      .call = record.number,
                      .tone = shell::Tone::bad,
                      .text = fmt::format("call {} comes back without audio: {}", record.number,
                                          bound.error().context),
                      .fields = {}});
    }
    return bound.has_value();
}

void Switchboard::adopt(std::vector<call::Dialog> dialogs, std::uint32_t epoch, bool run) {
    epoch_ = epoch;
    std::vector<call::Dialog*> records = without_copies(dialogs);
    const base::Now now = base::read_clock();
    for (call::Dialog* record : records) {
        call::move_into_boot(*record, base::boot_id(), now);
    }
    std::ranges::sort(records, [](const auto* a, const auto* b) { return is_more_urgent(*a, *b); });
    // All ports first: a stream that runs already would take turns with the rest of the binding.
    std::vector<const call::Dialog*> streams;
    for (const call::Dialog* record : records) {
        base::get_on();
        const base::InHand hand{record->number};
        base::is_found(record->number, record->call_id);
        base::pass_step("", "ports", record->number);
        const bool is_bound = has_ports(*record) && reopen_ports(*record);
        if (is_bound && run && record->media.remote.port != 0) {
            streams.push_back(record);
        }
    }
    for (const call::Dialog* record : streams) {
        base::get_on();
        const base::InHand hand{record->number};
        static_cast<void>(media_->run(record->number, record->media, record->hold.local));
    }
    for (call::Dialog* record : records) {
        base::get_on();
        const call::Number number = record->number;
        to_restore_.push_back(number);
        last_number_ = std::max(last_number_, number);
        note_ringing(calls_.emplace(number, call::revive(std::move(*record), epoch, policy_.codecs))
                         .first->second);
    }
    ledger_.expect(to_restore_.size());
    ledger_.explain(keeping_->last_death());
    keeping_->set_calls_live(!calls_.empty());
    std::ranges::reverse(to_restore_);
    suspects_last(to_restore_);
}

void Switchboard::restore(std::function<void()> done) {
    on_restored_ = std::move(done);
    std::vector<std::pair<std::string, call::Number>> call_ids;
    call_ids.reserve(calls_.size());
    for (const auto& [number, call] : calls_) {
        call_ids.emplace_back(call.dialog.call_id, number);
    }
    agent_->calls().expect(call_ids);
    watch_progress();
    pump();
}

// Somebody waits for an answer in this call: it is the next one.
void Switchboard::on_wanted(call::Number number) {
    const auto found = std::ranges::find(to_restore_, number);
    if (found != to_restore_.end() && !suspects_.contains(number)) {
        std::rotate(found, found + 1, to_restore_.end());
    }
}

void Switchboard::resume(const std::vector<call::Number>& numbers) {
    to_resume_.insert(to_resume_.begin(), numbers.rbegin(), numbers.rend());
    suspects_last(to_resume_);
    watch_progress();
    pump();
}

// A line a second, when there are so many that it takes that long. Their notices are gathered.
void Switchboard::watch_progress() {
    if (!progress_ && to_restore_.size() + to_resume_.size() > window) {
        // SAFETY: the source is a member.
        progress_ = base::every_ms(progress_ms, [this] { tell_progress(); });
        gathering_.emplace();
    }
}

void Switchboard::tell_progress() const {
    const bool rebuilding = !to_restore_.empty();
    const std::size_t left = rebuilding ? to_restore_.size() : to_resume_.size();
    shell::print({.event = "resume.progress",
                  .call = std::nullopt,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("{} call{} still to be {}", left, left == 1 ? "" : "s",
                                      rebuilding ? "rebuilt" : "refreshed"),
                  .fields = {{"left", static_cast<std::int64_t>(left)},
                             {"phase", std::string{rebuilding ? "rebuilding" : "refreshing"}}}});
}

void Switchboard::suspects_last(std::vector<call::Number>& queue) const {
    std::stable_partition(queue.begin(), queue.end(),
                          [this](call::Number number) { return suspects_.contains(number); });
}

// A suspect goes alone, so that a death while it is under way is a death on it.
bool Switchboard::may_begin(call::Number number) {
    if (!suspects_.contains(number)) {
        return under_way_.size() < window;
    }
    if (under_way_.empty() || is_impatient_) {
        patience_.reset();
        is_impatient_ = false;
        return true;
    }
    if (!patience_) {
        // SAFETY: the source is a member.
        patience_ = base::after_ms(patience_ms, [this] {
            patience_.reset();
            is_impatient_ = true;
            pump();
        });
    }
    return false;
}

void Switchboard::pump() {
    if (pumping_) {
        return;
    }
    pumping_ = true;
    const auto next = [this](std::vector<call::Number>& queue, const call::Event& event) {
        const call::Number number = queue.back();
        queue.pop_back();
        under_way_.insert(number);
        static_cast<void>(apply(number, event));
        const call::Call* call = find(number);
        if (call == nullptr || !is_under_way(*call)) {
            under_way_.erase(number);
        }
    };
    while (!to_restore_.empty() && may_begin(to_restore_.back())) {
        next(to_restore_, call::event::Restore{.resume = false,
                                               .can_hear_caller = agent_->calls().hears_caller(
                                                   calls_.at(to_restore_.back()).dialog),
                                               .deadline_ms = policy_.resume_window_ms});
    }
    while (!to_resume_.empty() && may_begin(to_resume_.back())) {
        next(to_resume_, call::event::Resume{.deadline_ms = policy_.resume_window_ms});
    }
    pumping_ = false;
    if (to_restore_.empty() && to_resume_.empty()) {
        progress_.reset();
        gathering_.reset();
        tidy_when_idle();
    }
    if (on_restored_ && to_restore_.empty() &&
        std::ranges::none_of(under_way_, [this](call::Number number) {
            const call::Call* call = find(number);
            return call != nullptr && is_being_restored(*call);
        })) {
        std::exchange(on_restored_, nullptr)();
    }
}

// The ledger names the gap in the stream, which is known when the media thread has sent its first
// packet. The answer to the re-INVITE is sometimes faster.
void Switchboard::settle(const call::Call& call, call::Verdict verdict, const std::string& reason) {
    const base::Now now = base::read_clock();
    const auto statistics = media_->statistics(call.dialog.number);
    if (statistics && statistics->is_resuming && verdict == call::Verdict::survived) {
        settle_late(call.dialog.number, verdict, reason, now, settle_tries_max);
        return;
    }
    ledger_.enter(call, verdict, reason, statistics ? std::optional{*statistics} : std::nullopt,
                  now);
}

void Switchboard::settle_late(call::Number number,
                              call::Verdict verdict,
                              const std::string& reason,
                              base::Now when,
                              int tries_left) {
    // SAFETY: the timers are members.
    late_settlements_[number] =
        base::after_ms(settle_try_ms, [this, number, verdict, reason, when, tries_left] {
            const auto statistics = media_->statistics(number);
            if (statistics && statistics->is_resuming && tries_left > 0) {
                settle_late(number, verdict, reason, when, tries_left - 1);
                return;
            }
            if (const call::Call* call = find(number)) {
                ledger_.enter(*call, verdict, reason,
                              statistics ? std::optional{*statistics} : std::nullopt, when);
            }
            late_settlements_.erase(number);
        });
}

} // namespace revenant::app
