#include "app/comeback.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/call_ports.hpp"
#include "app/return_queue.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

namespace {

// Who has the least time left comes first; no timer at all: last.
bool is_more_urgent(const call::Dialog* a, const call::Dialog* b) {
    const auto key = [](const call::Dialog* d) {
        return std::pair{d->timer.deadline_ms == 0, d->boot.deadline_ms};
    };
    return key(a) < key(b);
}

bool has_ports(const call::Dialog& record) {
    return record.phase != call::Phase::ending && record.media.local.port != 0;
}

// Not one whose INVITE comes in again with the connection that it came over: it waits in the state
// `replaying` until the connections are given back, which is when all others are rebuilt.
bool is_being_rebuilt(const call::Call& call) {
    return call.state == call::State::restoring ||
           (call.state == call::State::replaying && !call::is_stream(call.dialog.transport));
}

// States on the way back that end by themselves.
bool is_under_way(const call::Call& call) {
    return is_being_rebuilt(call) || call.state == call::State::resuming ||
           call.state == call::State::detour;
}

} // namespace

Comeback::Comeback(Switchboard& board, CallPorts& ports)
    : board_{&board}, ports_{&ports},
      // SAFETY: the queue is a member; the board forgets us in our destructor.
      queue_{[this](call::Number call, Turn turn) { return begin_turn(call, turn); },
             [this] { note_turns(); }} {
    board_->on_step = [this](const call::Call& before, const call::Call& now) {
        note_step(before, now);
    };
    board_->on_message_waits = [this](call::Number call) { queue_.hurry(call); };
}

Comeback::~Comeback() {
    board_->on_step = nullptr;
    board_->on_message_waits = nullptr;
}

// ---- The sequence ------------------------------------------------------------------------------

void Comeback::take_over(std::vector<call::Dialog> records, std::set<call::Number> suspects) {
    queue_.suspect(std::move(suspects));
    Records calls = one_of_each_dialog(records);
    sort_by_urgency(calls);
    // All ports first: a stream that runs already would take turns with the rest of the binding.
    const Records audible = bind_ports(calls);
    if (board_->policy().resumes_by_itself) {
        run_streams(audible);
    }
    give_to_board(calls);
}

void Comeback::restore(std::function<void()> quarantined) {
    expect_messages();
    rebuild(std::exchange(silent_, {}), std::move(quarantined));
}

void Comeback::go_on(std::function<void()> in_service) {
    rebuild(std::exchange(speaking_, {}), [this, in_service = std::move(in_service)] {
        // What has queued up goes first: a call that the peer has ended meanwhile is not to be
        // asked to go on.
        read_on([this, in_service] {
            refresh_restored();
            in_service();
        });
    });
}

// ---- Records, ports, streams -------------------------------------------------------------------

// Two records of one dialog, as somebody who copies files makes them, would both speak for it. The
// one with the higher watermark knows more.
Comeback::Records Comeback::one_of_each_dialog(std::vector<call::Dialog>& records) {
    const auto identity = [](const call::Dialog& d) {
        return std::tie(d.call_id, d.local_tag, d.remote_tag);
    };
    Records all;
    all.reserve(records.size());
    std::ranges::transform(records, std::back_inserter(all), [](call::Dialog& d) { return &d; });
    std::ranges::sort(all, [&](const call::Dialog* a, const call::Dialog* b) {
        return identity(*a) != identity(*b) ? identity(*a) < identity(*b)
                                            : a->cseq_watermark > b->cseq_watermark;
    });
    Records kept;
    kept.reserve(all.size());
    for (call::Dialog* dialog : all) {
        if (kept.empty() || identity(*kept.back()) != identity(*dialog)) {
            kept.push_back(dialog);
            continue;
        }
        board_->reserve(dialog->number);
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

void Comeback::sort_by_urgency(Records& records) {
    const base::Now now = base::read_clock();
    for (call::Dialog* record : records) {
        call::move_into_boot(*record, base::boot_id(), now);
    }
    std::ranges::sort(records, is_more_urgent);
}

Comeback::Records Comeback::bind_ports(const Records& records) {
    Records bound;
    for (call::Dialog* record : records) {
        base::get_on();
        const base::InHand hand{record->number};
        base::is_found(record->number, record->call_id);
        base::pass_step("", "ports", record->number);
        if (!has_ports(*record)) {
            continue;
        }
        const auto local =
            ports_->open(record->number, record->media.local.address, record->media.local.port);
        if (!local) {
            shell::print({.event = "media.trouble",
                          .call = record->number,
                          .tone = shell::Tone::bad,
                          .text = fmt::format("call {} comes back without audio: {}",
                                              record->number, local.error().context),
                          .fields = {}});
        } else if (record->media.remote.port != 0) {
            bound.push_back(record);
        }
    }
    return bound;
}

void Comeback::run_streams(const Records& records) {
    for (const call::Dialog* record : records) {
        base::get_on();
        const base::InHand hand{record->number};
        static_cast<void>(board_->media().run(record->number, record->media, record->hold.local));
    }
}

void Comeback::give_to_board(const Records& records) {
    const Policy& policy = board_->policy();
    board_->ledger().expect(records.size());
    for (call::Dialog* record : records) {
        base::get_on();
        const call::Number number = record->number;
        const bool is_silent = call::returns_in_silence(*record) && !queue_.is_suspect(number);
        (is_silent ? silent_ : speaking_).push_back(number);
        board_->adopt(call::revive(std::move(*record), policy.epoch, policy.codecs));
    }
}

// ---- Dialogs -----------------------------------------------------------------------------------

void Comeback::expect_messages() {
    std::vector<std::pair<std::string, call::Number>> call_ids;
    call_ids.reserve(board_->calls().size());
    for (const auto& [number, call] : board_->calls()) {
        call_ids.emplace_back(call.dialog.call_id, number);
    }
    board_->agent().calls().expect(call_ids);
}

void Comeback::rebuild(const std::vector<call::Number>& calls, std::function<void()> rebuilt) {
    rebuilt_ = std::move(rebuilt);
    queue_.add(Turn::rebuild, calls);
}

void Comeback::read_on(std::function<void()> read) {
    const base::Status adopted = board_->agent().calls().adopt_held_sockets(std::move(read));
    if (!adopted) {
        shell::print(shell::failure_notice(adopted.error()));
    }
}

void Comeback::refresh_restored() {
    std::vector<call::Number> waiting;
    for (const auto& [number, call] : board_->calls()) {
        if (call.state == call::State::restored) {
            waiting.push_back(number);
        }
    }
    if (board_->policy().resumes_by_itself) {
        refresh(waiting);
    } else if (waiting.size() > 1) {
        shell::print({.event = "resume.ask",
                      .call = std::nullopt,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("{} calls of an earlier run are waiting; `reinvite all` "
                                          "goes on with them, `bye ID` ends one",
                                          waiting.size()),
                      .fields = {}});
    }
}

void Comeback::refresh(const std::vector<call::Number>& calls) {
    queue_.add(Turn::refresh, calls);
}

// ---- Turns -------------------------------------------------------------------------------------

bool Comeback::begin_turn(call::Number number, Turn turn) {
    const std::uint32_t window_ms = board_->policy().resume_window_ms;
    // A store that answers late may have failed: then there is no step that would end the turn.
    const auto tried = [this, number](const base::Status& status) {
        if (!status) {
            queue_.end_turn(number);
        }
    };
    const call::Call* call = board_->find(number);
    if (call != nullptr && turn == Turn::rebuild) {
        const bool is_heard = board_->agent().calls().hears_caller(call->dialog);
        board_->apply(number,
                      call::event::Restore{
                          .resume = false, .can_hear_caller = is_heard, .deadline_ms = window_ms},
                      tried);
    } else {
        board_->apply(number, call::event::Resume{.deadline_ms = window_ms}, tried);
    }
    call = board_->find(number);
    return call != nullptr && (!board_->is_settled(number) || is_under_way(*call));
}

void Comeback::note_turns() {
    board_->put_off_tidying(queue_.is_long());
    const bool is_rebuilding =
        queue_.left(Turn::rebuild) > 0 ||
        std::ranges::any_of(queue_.under_way(), [this](call::Number number) {
            const call::Call* call = board_->find(number);
            return call != nullptr && (!board_->is_settled(number) || is_being_rebuilt(*call));
        });
    if (rebuilt_ && !is_rebuilding) {
        std::exchange(rebuilt_, nullptr)();
    }
}

void Comeback::note_step(const call::Call& before, const call::Call& now) {
    const call::Number number = now.dialog.number;
    if (is_under_way(now) != is_under_way(before)) {
        base::set_under_way(number, is_under_way(now));
    }
    // What waits behind this step may be what the turn is for.
    if (!is_under_way(now) && board_->is_settled(number)) {
        queue_.end_turn(number);
    }
}

} // namespace revenant::app
