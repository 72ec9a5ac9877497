#include "app/ledger.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "revenant/base/clock.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

// A stream that may send does so within a packet's time; one that may not never does.
constexpr std::uint32_t gap_within_ms = 100;

shell::Tone tone_of(call::Verdict verdict) {
    switch (verdict) {
    case call::Verdict::survived: return shell::Tone::good;
    case call::Verdict::finished: return shell::Tone::plain;
    case call::Verdict::lost: return shell::Tone::bad;
    }
    return shell::Tone::bad;
}

} // namespace

void Ledger::settle(const call::Dialog& dialog, call::Verdict verdict, const std::string& reason) {
    const call::Number number = dialog.number;
    const auto media = media_->statistics(number);
    without_gap_.erase(number);
    Settled settled{
        .dialog = dialog, .verdict = verdict, .reason = reason, .when = base::read_clock()};
    if (verdict != call::Verdict::survived || !media || !media->is_resuming) {
        enter(settled, media ? std::optional{*media} : std::nullopt);
        return;
    }
    // SAFETY: the timer is a member.
    settled.deadline = base::after_ms(gap_within_ms, [this, number] { gap_is_known(number); });
    without_gap_.emplace(number, std::move(settled));
}

void Ledger::gap_is_known(call::Number call) {
    const auto found = without_gap_.find(call);
    if (found == without_gap_.end()) {
        return;
    }
    const Settled settled = std::move(found->second);
    without_gap_.erase(found);
    const auto media = media_->statistics(call);
    enter(settled, media ? std::optional{*media} : std::nullopt);
}

void Ledger::enter(const Settled& settled, const std::optional<media::Statistics>& media) {
    const call::Dialog& dialog = settled.dialog;
    const call::Verdict verdict = settled.verdict;
    const std::string& reason = settled.reason;
    std::string text = fmt::format("ledger: call {} {}  {}", dialog.number, name(verdict),
                                   base::printable(dialog.remote_uri, 120));
    shell::Notice notice{.event = "ledger",
                         .call = dialog.number,
                         .tone = tone_of(verdict),
                         .text = {},
                         .fields = {{"verdict", std::string{name(verdict)}},
                                    {"reason", reason},
                                    {"call_id", base::printable(dialog.call_id, 200)},
                                    {"resumes", std::int64_t{dialog.resumes}}}};
    // From the last sign of life to the verdict. Without audio nothing tells when the phone died.
    if (media && media->last_before_ms != 0) {
        const std::int64_t outage_ms = settled.when.boot_ms() - media->last_before_ms;
        text += fmt::format("  outage {} ms", outage_ms);
        notice.fields.emplace_back("outage_ms", outage_ms);
    }
    if (media && media->gap_ms > 0) {
        text += fmt::format("  RTP gap {} ms, {} packet{} lost", media->gap_ms,
                            media->packets_missed, media->packets_missed == 1 ? "" : "s");
        notice.fields.emplace_back("gap_ms", media->gap_ms);
        notice.fields.emplace_back("packets_lost",
                                   static_cast<std::int64_t>(media->packets_missed));
    }
    if (!death_.empty()) {
        text += fmt::format("  (the phone {}: killed and started again)", death_);
        notice.fields.emplace_back("death", death_);
    }
    if (!reason.empty()) {
        text += fmt::format("  ({})", reason);
    }
    notice.text = std::move(text);
    shell::print(notice);
    count(dialog.number, {.verdict = verdict, .reason = reason});
}

void Ledger::enter_quarantined(const call::Dialog& dialog,
                               const std::string& reason,
                               const std::string& path) {
    const std::string who = dialog.remote_uri.empty() ? std::string{"(its record is not read)"}
                                                      : base::printable(dialog.remote_uri, 120);
    shell::print({.event = "ledger",
                  .call = dialog.number,
                  .tone = tone_of(call::Verdict::lost),
                  .text = fmt::format("ledger: call {} lost  {}  ({})", dialog.number, who,
                                      base::printable(reason, 600)),
                  .fields = {{"verdict", "lost"},
                             {"reason", base::printable(reason, 600)},
                             {"call_id", base::printable(dialog.call_id, 200)},
                             {"quarantined", base::printable(path, 300)}}});
    count(dialog.number, {.verdict = call::Verdict::lost, .reason = reason});
}

void Ledger::count(call::Number call, Line line) {
    lines_[call] = std::move(line);
    if (lines_.size() == expected_) {
        print_sum();
    }
    if (on_line) {
        on_line(call);
    }
}

const Ledger::Line* Ledger::find(call::Number call) const {
    const auto found = lines_.find(call);
    return found != lines_.end() ? &found->second : nullptr;
}

std::size_t Ledger::count(call::Verdict verdict) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines_, [verdict](const auto& entry) { return entry.second.verdict == verdict; }));
}

void Ledger::print_sum() const {
    const auto survived = static_cast<std::int64_t>(count(call::Verdict::survived));
    const auto finished = static_cast<std::int64_t>(count(call::Verdict::finished));
    const auto lost = static_cast<std::int64_t>(count(call::Verdict::lost));
    shell::print(
        {.event = "ledger.summary",
         .call = std::nullopt,
         .tone = lost == 0 ? shell::Tone::good : shell::Tone::bad,
         .text = fmt::format("ledger: {} survived, {} finished, {} lost", survived, finished, lost),
         .fields = {{"survived", survived}, {"finished", finished}, {"lost", lost}}});
}

} // namespace revenant::app
