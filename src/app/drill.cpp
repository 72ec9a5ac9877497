#include "app/drill.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "app/commands/command_tools.hpp"
#include "app/drill_peer.hpp"
#include "app/ledger.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

using call::Call;
using call::State;

constexpr std::uint32_t answer_within_ms = 20'000;
constexpr std::uint32_t media_within_ms = 5000;
constexpr std::uint32_t one_way_ms = 1500;   // then a peer that sends nothing will do
constexpr std::uint64_t packets_wanted = 25; // half a second
// Beyond the resume deadline, for the ledger's word.
constexpr std::uint32_t verdict_slack_ms = 5000;

// systemd ends what a service has started when its main process dies, the test peer with it.
bool is_main_process_of_systemd() {
    const char* pid = std::getenv("SYSTEMD_EXEC_PID");
    return pid != nullptr && base::to_u32(pid) == static_cast<std::uint32_t>(::getpid());
}

std::size_t live_calls(const Switchboard& board) {
    return static_cast<std::size_t>(std::ranges::count_if(
        board.calls(), [](const auto& entry) { return entry.second.state != State::over; }));
}

void tell(const char* event, std::optional<call::Number> call, std::string text) {
    shell::print({.event = event,
                  .call = call,
                  .tone = shell::Tone::attention,
                  .text = std::move(text),
                  .fields = {}});
}

} // namespace

Drill::Drill(Switchboard& board, const Keeping& keeping, const shell::Options& options)
    : board_{&board}, keeping_{&keeping}, options_{&options} {}

std::string Drill::path() const {
    return options_->state_directory + "/drill";
}

// ---- The first life: a call, audio, SIGKILL

void Drill::add_command(shell::Table& table) {
    table.add({.name = "drill",
               .aliases = {},
               .arguments = "[URI] [force]",
               .help = "fire drill: call a test peer (or URI), die by SIGKILL, tell what became of "
                       "the call (force: although other calls are up)",
               .group = "Program",
               .arguments_min = 0,
               .arguments_max = 2,
               .completes = {shell::Completes::uri, shell::Completes::words},
               .words = {"force"},
               .secret = false,
               // SAFETY: the Drill outlives the table's last command.
               .run = [this](const shell::Arguments& arguments, const shell::Done& done) {
                   begin(arguments, done);
               }});
}

base::Status Drill::may_begin(bool force) const {
    const auto refuse = [](std::string why) {
        return base::fail(base::Errc::not_now, std::move(why));
    };
    if (!keeping_->is_kept()) {
        return refuse("nobody would start the phone again after the kill: start it with --keep, or "
                      "under systemd");
    }
    if (options_->resume != shell::Resume::automatic || options_->no_journal) {
        return refuse("the next life would not go on with the call: start the phone without "
                      "--no-journal and with --resume=auto");
    }
    if (done_ || over_) {
        return refuse("a drill is under way");
    }
    const std::size_t others = live_calls(*board_);
    if (others > 0 && !force) {
        return refuse(fmt::format("{} other call{} would be killed and resumed, too; `drill force` "
                                  "does it all the same",
                                  others, others == 1 ? "" : "s"));
    }
    return {};
}

void Drill::begin(const shell::Arguments& arguments, const shell::Done& done) {
    const bool force = !arguments.empty() && arguments.back() == "force";
    if (arguments.size() > (force ? 2U : 1U)) {
        done(base::fail(base::Errc::bad_input, "usage: drill [URI] [force]"));
        return;
    }
    const std::string uri = arguments.size() > (force ? 1U : 0U) ? arguments.front() : "";
    base::Status allowed = may_begin(force);
    if (allowed && uri.empty() && !options_->outbound_proxy.empty()) {
        allowed = base::fail(base::Errc::unsupported,
                             "a test peer on this machine is not called through the outbound "
                             "proxy; give somebody to call: drill URI");
    }
    if (allowed && uri.empty() && is_main_process_of_systemd()) {
        allowed = base::fail(base::Errc::unsupported,
                             "systemd would end the test peer with the phone; give somebody to "
                             "call: drill URI");
    }
    if (!allowed) {
        done(allowed);
        return;
    }
    if (const std::size_t others = live_calls(*board_); others > 0) {
        tell("drill.force", std::nullopt,
             fmt::format("drill: {} other call{} will be killed and resumed, too", others,
                         others == 1 ? "" : "s"));
    }
    done_ = done;
    call_.reset();
    if (!uri.empty()) {
        call(uri);
        return;
    }
    // SAFETY: the peer is a member.
    auto peer = TestPeer::start(options_->listen.front(), options_->state_directory + "/drill-peer",
                                [this](const base::Result<std::string>& at) {
                                    if (at) {
                                        call(*at);
                                    } else {
                                        give_up(at.error());
                                    }
                                });
    if (!peer) {
        give_up(peer.error());
        return;
    }
    peer_ = std::move(*peer);
}

void Drill::call(const std::string& uri) {
    board_->dial(uri, [this](const base::Result<call::Number>& number) {
        if (number) {
            await_answer(*number);
        } else {
            give_up(number.error());
        }
    });
}

void Drill::await_answer(call::Number number) {
    call_ = number;
    const auto until_up = [](const Call& call) -> std::optional<base::Status> {
        if (call.state == State::established) {
            return base::Status{};
        }
        return call.state == State::over ? std::optional{why_over(call)} : std::nullopt;
    };
    board_->waits().add(number, until_up, answer_within_ms, "drill: an answer",
                        [this](const base::Status& status) {
                            if (status) {
                                await_media();
                            } else {
                                give_up(status.error());
                            }
                        });
}

void Drill::await_media() {
    // SAFETY: the timers are members.
    deadline_ = base::after_ms(media_within_ms, [this] {
        give_up({base::Errc::not_now, "the test call sends no audio that could be measured; start "
                                      "the phone with --audio tone"});
    });
    await(&media::Statistics::packets_sent, 0, [this] { await_packets(); });
}

void Drill::await_packets() {
    if (is_over()) {
        return;
    }
    const auto statistics = board_->media().statistics(*call_);
    const std::uint64_t sent = statistics ? statistics->packets_sent : 0;
    if (sent < packets_wanted) {
        const std::uint64_t left_ms =
            (packets_wanted - sent) * board_->find(*call_)->dialog.media.ptime_ms;
        packets_ = base::after_ms(static_cast<std::uint32_t>(left_ms), [this] { await_packets(); });
        return;
    }
    deadline_.reset();
    await(&media::Statistics::packets_received, one_way_ms, [this] { kill_us(); });
}

// `then` when the test call has such packets, or after `most_ms` (0: never without them).
void Drill::await(std::uint64_t media::Statistics::*packets,
                  std::uint32_t most_ms,
                  std::function<void()> then) {
    const call::Number number = *call_;
    const auto have_come = [board = board_, number,
                            packets](const Call& call) -> std::optional<base::Status> {
        const auto statistics = board->media().statistics(number);
        const bool is_so = statistics && (*statistics).*packets > 0;
        return is_so || call.state == State::over ? std::optional{base::Status{}} : std::nullopt;
    };
    board_->waits().add(number, have_come, most_ms, "",
                        [this, number, then = std::move(then)](const base::Status&) {
                            if (call_ == number && !is_over()) { // else another drill's, or none's
                                then();
                            }
                        });
    board_->waits().look(*board_->find(number)); // perhaps they have come
}

// Gives up if it is.
bool Drill::is_over() {
    const Call* call = board_->find(*call_);
    const bool over = call == nullptr || call->state == State::over;
    if (over) {
        give_up({base::Errc::not_now, "the test call ended before the kill"});
    }
    return over;
}

void Drill::give_up(const base::Error& error) {
    deadline_.reset();
    packets_.reset();
    if (call_ && board_->find(*call_) != nullptr) {
        // A test peer ends with its call.
        board_->apply(*call_, call::event::HangUp{});
    }
    call_.reset();
    if (const shell::Done done = std::exchange(done_, nullptr)) {
        done(base::fail(error));
    }
}

void Drill::kill_us() {
    const auto statistics = board_->media().statistics(*call_);
    const std::uint64_t packets = statistics ? statistics->packets_sent : 0;
    tell("drill.kill", call_,
         fmt::format("drill: call {} is up, {} RTP packets are sent: SIGKILL", *call_, packets));
    shell::flush_output();
    const base::Status written = write_drill_file(
        path(), {.call = *call_, .killed_ms = base::read_clock().boot_ms(), .packets = packets});
    if (!written) {
        give_up(written.error());
        return;
    }
    static_cast<void>(::kill(::getpid(), SIGKILL));
}

// ---- The second life: a verdict

void Drill::look_back(std::function<void()> over) {
    const auto text = read_drill_file(path());
    if (!text) {
        return;
    }
    const auto mark = read_drill_mark(*text);
    ready_ms_ = base::read_clock().boot_ms();
    // A drill that nobody judged, because the keeper had died as well, is no longer one.
    const bool is_ours = mark && keeping_->is_return() && mark->killed_ms <= ready_ms_;
    if (!is_ours) {
        static_cast<void>(::unlink(path().c_str()));
        tell("drill.left", std::nullopt,
             mark ? "drill: the file of an earlier drill was removed; it was not finished"
                  : "drill: the file of an earlier drill could not be read and was removed");
        return;
    }
    mark_ = *mark;
    over_ = std::move(over);
    if (board_->find(mark_.call) == nullptr) {
        close(false, "", fmt::format("no record of call {} was left", mark_.call));
        return;
    }
    board_->waits().add(
        mark_.call,
        [](const Call& call) -> std::optional<base::Status> {
            const bool is_back = call.state == State::established && call.dialog.resumes > 0;
            return is_back || call.state == State::over ? std::optional{base::Status{}}
                                                        : std::nullopt;
        },
        0, "",
        [this](const base::Status&) {
            const Call* call = board_->find(mark_.call);
            if (call != nullptr && call->state == State::established) {
                resumed_ms_ = base::read_clock().boot_ms();
            }
        });
    // The ledger knows best what became of a call, and waits for the stream's gap.
    board_->ledger().on_line = [this](call::Number number) {
        if (number == mark_.call) {
            // Later: the step that has led to the line is still on the stack.
            line_ = base::when_idle([this] { judge(); });
        }
    };
    if (board_->ledger().find(mark_.call) != nullptr) {
        board_->ledger().on_line(mark_.call);
    }
    // SAFETY: the sources are members.
    deadline_ = base::after_ms(options_->resume_deadline_s * 1000 + verdict_slack_ms,
                               [this] { close(false, "", "the call was not resumed in time"); });
}

void Drill::judge() {
    const Ledger::Line& line = *board_->ledger().find(mark_.call);
    if (line.verdict != call::Verdict::survived) {
        close(false, "", line.reason.empty() ? std::string{name(line.verdict)} : line.reason);
        return;
    }
    std::string text = fmt::format("ready after {} ms", ready_ms_ - mark_.killed_ms);
    if (resumed_ms_ > 0) {
        text += fmt::format(", 200 after {} ms", resumed_ms_ - mark_.killed_ms);
    }
    close(true, text, "");
}

void Drill::close(bool survived, const std::string& text, const std::string& reason) {
    deadline_.reset();
    board_->ledger().on_line = nullptr;
    is_lost_ = !survived;
    static_cast<void>(::unlink(path().c_str()));
    shell::Notice notice{.event = "drill",
                         .call = mark_.call,
                         .tone = survived ? shell::Tone::good : shell::Tone::bad,
                         .text = {},
                         .fields = {{"verdict", std::string{survived ? "survived" : "lost"}},
                                    {"reason", reason},
                                    {"ready_ms", ready_ms_ - mark_.killed_ms}}};
    if (resumed_ms_ > 0) {
        notice.fields.emplace_back("resumed_ms", resumed_ms_ - mark_.killed_ms);
    }
    std::string audio;
    const auto statistics = board_->media().statistics(mark_.call);
    if (survived && statistics && !statistics->is_resuming) {
        // Numbers that were left out; a number below those of the first life would make it
        // negative.
        const auto missed = static_cast<std::int64_t>(statistics->packets_missed);
        const std::int64_t lost = std::max<std::int64_t>(missed, 0);
        const std::int64_t twice = std::max<std::int64_t>(-missed, 0);
        audio = fmt::format("RTP gap {} ms, {} packet{} lost, {} sent twice; ", statistics->gap_ms,
                            lost, lost == 1 ? "" : "s", twice);
        notice.fields.emplace_back("gap_ms", statistics->gap_ms);
        notice.fields.emplace_back("packets_lost", lost);
        notice.fields.emplace_back("packets_twice", twice);
        notice.fields.emplace_back("packets_before", static_cast<std::int64_t>(mark_.packets));
        notice.fields.emplace_back(
            "packets_after", static_cast<std::int64_t>(statistics->packets_sent - mark_.packets));
    }
    notice.text = survived ? fmt::format("drill: survived: {}{}", audio, text)
                           : fmt::format("drill: lost: {}", reason);
    shell::print(notice);
    if (board_->find(mark_.call) != nullptr) {
        board_->apply(mark_.call, call::event::HangUp{});
    }
    if (const auto over = std::exchange(over_, nullptr)) {
        over();
    }
}

} // namespace revenant::app
