// `calls` and `show`: what is there, for people and for programs.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "app/commands/call_commands.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

using call::Call;
using shell::Arguments;
using shell::Completes;
using shell::Done;

std::string duration(const call::Dialog& dialog) {
    if (dialog.established_ms == 0) {
        return "-";
    }
    const std::int64_t seconds = std::max<std::int64_t>(
        0, (base::read_clock().boot_ms() - dialog.boot.established_ms) / 1000);
    return seconds < 3600
               ? fmt::format("{}:{:02}", seconds / 60, seconds % 60)
               : fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string_view hold_text(const call::Hold& hold) {
    if (hold.local) {
        return hold.remote ? " (both on hold)" : " (on hold)";
    }
    return hold.remote ? " (held by peer)" : "";
}

std::string state_text(const Call& call) {
    return fmt::format("{}{}", name(call.state), hold_text(call.dialog.hold));
}

void calls_command(const Switchboard& board, const Done& done) {
    bool is_empty = true;
    for (const auto& [number, call] : board.calls()) {
        if (call.state == call::State::over) {
            continue;
        }
        is_empty = false;
        const call::Dialog& d = call.dialog;
        const char* arrow = d.role == call::Role::caller ? "->" : "<-";
        const std::string who = base::printable(d.remote_uri, 200);
        shell::Notice notice{
            .event = "call.listed",
            .call = number,
            .tone = shell::Tone::plain,
            .text = fmt::format("{:>4}  {:<26} {:>8}  {} {}", number, state_text(call), duration(d),
                                arrow, who),
            .fields = {{"state", std::string{name(call.state)}},
                       {"role", d.role == call::Role::caller ? std::string{"caller"}
                                                             : std::string{"callee"}},
                       {"remote", who},
                       {"hold_local", d.hold.local},
                       {"hold_remote", d.hold.remote},
                       {"resumes", std::int64_t{d.resumes}}}};
        shell::print(notice);
    }
    if (is_empty) {
        shell::print({.event = "call.none",
                      .call = std::nullopt,
                      .tone = shell::Tone::faint,
                      .text = "no calls",
                      .fields = {}});
    }
    done({});
}

std::string timer_text(const call::Dialog& dialog) {
    const call::SessionTimer& timer = dialog.timer;
    if (timer.interval_s == 0) {
        return "none";
    }
    const std::int64_t left =
        std::max<std::int64_t>(dialog.boot.deadline_ms - base::read_clock().boot_ms(), 0) / 1000;
    const char* who = timer.refresher == call::Refresher::local    ? "we refresh"
                      : timer.refresher == call::Refresher::remote ? "the peer refreshes"
                                                                   : "nobody refreshes";
    if (timer.deadline_ms == 0) { // not answered yet, or an earlier version has not said
        return fmt::format("{} s, {}", timer.interval_s, who);
    }
    return fmt::format("{} s, {}, {} s left", timer.interval_s, who, left);
}

using Fields = std::vector<std::pair<std::string, shell::Value>>;

void add_media(const media::Statistics& s, std::string& text, Fields& fields) {
    text += fmt::format("\n  sent       {} packets, {} octets, SSRC {:08x}", s.packets_sent,
                        s.octets_sent, s.ssrc);
    text += fmt::format("\n  received   {} packets, {} lost, {} late, {} foreign, jitter {:.1f} ms",
                        s.packets_received, s.packets_lost, s.packets_late, s.packets_foreign,
                        s.jitter_ms);
    text += fmt::format("\n  far end    {} lost, jitter {:.1f} ms, round trip {}", s.remote_lost,
                        s.remote_jitter_ms,
                        s.round_trip_ms ? fmt::format("{:.1f} ms", *s.round_trip_ms)
                                        : std::string{"not known yet"});
    const auto count = [&](const char* key, std::uint64_t value) {
        fields.emplace_back(key, static_cast<std::int64_t>(value));
    };
    count("packets_sent", s.packets_sent);
    count("octets_sent", s.octets_sent);
    count("packets_received", s.packets_received);
    count("packets_lost", s.packets_lost);
    count("packets_late", s.packets_late);
    count("packets_duplicate", s.packets_duplicate);
    count("packets_foreign", s.packets_foreign);
    count("packets_concealed", s.packets_concealed);
    count("packets_missed", s.packets_missed);
    count("remote_lost", s.remote_lost);
    count("ssrc", s.ssrc);
    if (s.remote_ssrc) {
        count("remote_ssrc", *s.remote_ssrc);
    }
    fields.emplace_back("jitter_ms", s.jitter_ms);
    fields.emplace_back("gap_ms", s.gap_ms);
    if (s.round_trip_ms) {
        fields.emplace_back("round_trip_ms", *s.round_trip_ms);
    }
}

void show_command(const Switchboard& board, const Arguments& arguments, const Done& done) {
    const auto number = board.choose(
        arguments.empty() ? std::string_view{} : arguments[0], [](const Call&) { return true; },
        "to show");
    if (!number) {
        done(base::fail(number.error()));
        return;
    }
    const Call& call = *board.find(*number);
    const call::Dialog& d = call.dialog;
    const auto clean = [](const std::string& text) { return base::printable(text, 300); };
    std::string routes;
    for (const std::string& route : d.route_set) {
        routes += (routes.empty() ? "" : ", ") + clean(route);
    }
    std::string text =
        fmt::format("call {}: {} {}", d.number, d.role == call::Role::caller ? "to" : "from",
                    clean(d.remote_uri));
    text += fmt::format("\n  state      {}, {} restart{} survived", state_text(call), d.resumes,
                        d.resumes == 1 ? "" : "s");
    text += fmt::format("\n  Call-ID    {}", clean(d.call_id));
    text +=
        fmt::format("\n  tags       ours {}, theirs {}", clean(d.local_tag), clean(d.remote_tag));
    text += fmt::format("\n  target     {}", clean(d.remote_target));
    text += fmt::format("\n  route      {}", routes.empty() ? "none" : routes);
    text +=
        fmt::format("\n  CSeq       ours at most {}, theirs {}", d.cseq_watermark, d.remote_cseq);
    text += fmt::format("\n  timer      {}", timer_text(d));
    text += fmt::format("\n  audio      {} {}, {}:{} to {}:{}", d.media.codec.name,
                        name(d.media.direction), d.media.local.address, d.media.local.port,
                        d.media.remote.address, d.media.remote.port);
    Fields fields{{"state", std::string{name(call.state)}},
                  {"call_id", clean(d.call_id)},
                  {"local_tag", clean(d.local_tag)},
                  {"remote_tag", clean(d.remote_tag)},
                  {"remote_target", clean(d.remote_target)},
                  {"cseq_watermark", std::int64_t{d.cseq_watermark}},
                  {"remote_cseq", std::int64_t{d.remote_cseq}},
                  {"codec", d.media.codec.name},
                  {"direction", std::string{name(d.media.direction)}},
                  {"hold_local", d.hold.local},
                  {"hold_remote", d.hold.remote},
                  {"resumes", std::int64_t{d.resumes}}};
    if (const auto statistics = board.media().statistics(*number)) {
        add_media(*statistics, text, fields);
    }
    shell::print({.event = "call.shown",
                  .call = *number,
                  .tone = shell::Tone::plain,
                  .text = std::move(text),
                  .fields = std::move(fields)});
    done({});
}

} // namespace

void add_view_commands(shell::Table& table, Switchboard& board) {
    // SAFETY: the board outlives the table.
    Switchboard* b = &board;
    table.add({.name = "calls",
               .aliases = {"l", "list"},
               .arguments = "",
               .help = "list the calls",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 0,
               .completes = {},
               .words = {},
               .secret = false,
               .run = [b](const Arguments&, const Done& d) { calls_command(*b, d); }});
    table.add({.name = "show",
               .aliases = {},
               .arguments = "[ID]",
               .help = "one call in full: dialog, timer, media",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 1,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, const Done& d) { show_command(*b, a, d); }});
}

} // namespace revenant::app
