// Making, taking and ending calls; hold.
#include "app/commands/call_commands.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/commands/command_tools.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

namespace {

bool is_alerting(const Call& call) {
    return call.state == State::alerting;
}

bool is_outgoing_early(const Call& call) {
    return call.state == State::inviting || call.state == State::proceeding;
}

// Until the call is established or over.
std::optional<base::Status> until_established(const Call& call) {
    if (call.state == State::established) {
        return base::Status{};
    }
    return call.state == State::over ? std::optional{why_over(call)} : std::nullopt;
}

std::optional<base::Status> until_over(const Call& call) {
    return call.state == State::over ? std::optional{base::Status{}} : std::nullopt;
}

// Calls whose target is being looked up: they have no number yet.
struct Lookup {
    std::uint64_t id = 0; // the Agent's
    Done done;
};

using Lookups = std::list<Lookup>;

void tell_failed(const std::string& target, const std::string& why) {
    const std::string shown = base::printable(target, 200);
    shell::print({.event = "call.failed",
                  .call = std::nullopt,
                  .tone = shell::Tone::bad,
                  .text = fmt::format("call to {} failed: {}", shown, why),
                  .fields = {{"remote", shown}, {"source", "local"}, {"reason", why}}});
}

void dial(Switchboard& board, const sip::Origin& origin, bool wait, const Done& done) {
    board.dial(origin, [&board, wait, done](const base::Result<call::Number>& number) {
        if (!number || !wait) {
            done(number ? base::Status{} : base::fail(number.error()));
            return;
        }
        board.waits().add(*number, until_established, 0, "call", done);
    });
}

void call_command(Switchboard& board,
                  Lookups& lookups,
                  const Arguments& arguments,
                  const Done& done) {
    const bool wait = argument(arguments, 0) != "-n";
    if (arguments.size() != (wait ? 1U : 2U)) {
        done(base::fail(base::Errc::bad_input, "usage: call [-n] URI"));
        return;
    }
    const std::string& target = arguments.back();
    // SAFETY: the list outlives the command table, and the Agent's lookups the list's elements.
    const auto self = lookups.insert(lookups.end(), Lookup{.id = 0, .done = done});
    const auto located = [&board, &lookups, self, target,
                          wait](const base::Result<sip::Origin>& origin) {
        const Lookup over = std::move(*self);
        lookups.erase(self);
        if (origin) {
            dial(board, *origin, wait, over.done);
            return;
        }
        if (over.id != 0) {
            tell_failed(target, origin.error().context);
        }
        over.done(base::fail(origin.error()));
    };
    const std::uint64_t id = board.agent().locate(target, located);
    if (id != 0) { // else it is over, and the element is gone
        self->id = id;
    }
}

// Those that are looked up still; false: there is none.
bool give_up_lookups(Switchboard& board, Lookups& lookups) {
    const bool has_any = !lookups.empty();
    for (const Lookup& one : std::exchange(lookups, {})) {
        board.agent().give_up(one.id);
        one.done(base::fail(base::Errc::not_now, "canceled while its name was looked up"));
    }
    return has_any;
}

void hold_command(Switchboard& board, const Arguments& arguments, bool hold, const Done& done) {
    const auto until = [hold](const Call& call) -> std::optional<base::Status> {
        if (call.state == State::over) {
            return why_over(call);
        }
        if (call.state != State::established || call.glare_retry) {
            return std::nullopt;
        }
        return call.dialog.hold.local == hold ? base::Status{} : why_over(call);
    };
    run_on_call(
        board, argument(arguments, 0),
        {.fits = is_established,
         .what = "that is established",
         .event = hold ? call::Event{call::event::Hold{}} : call::Event{call::event::Unhold{}},
         .until = until},
        done);
}

void decline_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    std::uint16_t status = 486;
    if (arguments.size() > 1) {
        const auto given = base::to_u32(arguments[1]);
        if (!given || *given < 400 || *given > 699) {
            done(base::fail(base::Errc::bad_input, "a status to decline with is 400 to 699"));
            return;
        }
        status = static_cast<std::uint16_t>(*given);
    }
    run_on_call(board, argument(arguments, 0),
                {.fits = is_alerting,
                 .what = "that rings",
                 .event = call::event::Decline{.status = status},
                 .until = until_over},
                done);
}

void bye_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    if (argument(arguments, 0) != "all") {
        run_on_call(
            board, argument(arguments, 0),
            {.fits = is_any, .what = "to end", .event = call::event::HangUp{}, .until = until_over},
            done);
        return;
    }
    std::vector<call::Number> all;
    for (const auto& [number, call] : board.calls()) {
        if (call.state != State::over) {
            all.push_back(number);
        }
    }
    auto left = std::make_shared<std::size_t>(all.size());
    if (all.empty()) {
        done({});
    }
    for (const call::Number number : all) {
        board.waits().add(number, until_over, 0, "", [left, done](const base::Status&) {
            if (--*left == 0) {
                done({});
            }
        });
        base::get_on();
        board.apply(number, call::event::HangUp{});
    }
}

// SAFETY, here and below: the board outlives the table, and with it every function in it.
void add_making(shell::Table& table, Switchboard* b) {
    // Shared by the command that looks up and the one that gives up.
    const auto lookups = std::make_shared<Lookups>();
    add_row(table,
            {"call",
             {"i", "invite"},
             "[-n] URI",
             "call somebody and wait for the answer (-n: do not wait)",
             {1, 2},
             {Completes::uri}},
            [b, lookups](const Arguments& a, const Done& d) { call_command(*b, *lookups, a, d); });
    add_row(table,
            {"cancel",
             {"c"},
             "[ID]",
             "give up a call that is not answered yet",
             {0, 1},
             {Completes::call_id}},
            [b, lookups](const Arguments& a, const Done& d) {
                if (argument(a, 0).empty() && give_up_lookups(*b, *lookups)) {
                    d({});
                    return;
                }
                run_on_call(*b, argument(a, 0),
                            {.fits = is_outgoing_early,
                             .what = "that waits for an answer",
                             .event = call::event::HangUp{},
                             .until = until_over},
                            d);
            });
}

void add_taking(shell::Table& table, Switchboard* b) {
    add_row(table,
            {"answer", {"a"}, "[ID]", "answer a call that rings", {0, 1}, {Completes::call_id}},
            [b](const Arguments& a, const Done& d) {
                run_on_call(*b, argument(a, 0),
                            {.fits = is_alerting,
                             .what = "that rings",
                             .event = call::event::Answer{},
                             .until = until_established},
                            d);
            });
    add_row(table,
            {"decline",
             {},
             "[ID] [STATUS]",
             "refuse a call that rings (486 unless told)",
             {0, 2},
             {Completes::call_id, Completes::words},
             {"486", "480", "603"}},
            [b](const Arguments& a, const Done& d) { decline_command(*b, a, d); });
    add_row(
        table,
        {"d", {}, "[ID]", "refuse with 480 Temporarily Unavailable", {0, 1}, {Completes::call_id}},
        [b](const Arguments& a, const Done& d) {
            decline_command(*b, {argument(a, 0), "480"}, d);
        });
    add_row(table, {"D", {}, "[ID]", "refuse with 603 Decline", {0, 1}, {Completes::call_id}},
            [b](const Arguments& a, const Done& d) {
                decline_command(*b, {argument(a, 0), "603"}, d);
            });
}

void add_ending_and_holding(shell::Table& table, Switchboard* b) {
    add_row(table, {"bye", {"b"}, "[ID|all]", "hang up", {0, 1}, {Completes::call_id}},
            [b](const Arguments& a, const Done& d) { bye_command(*b, a, d); });
    add_row(table, {"hold", {}, "[ID]", "put the other end on hold", {0, 1}, {Completes::call_id}},
            [b](const Arguments& a, const Done& d) { hold_command(*b, a, true, d); });
    add_row(table,
            {"unhold", {}, "[ID]", "take the other end off hold", {0, 1}, {Completes::call_id}},
            [b](const Arguments& a, const Done& d) { hold_command(*b, a, false, d); });
}

} // namespace

void add_call_commands(shell::Table& table, Switchboard& board) {
    add_making(table, &board);
    add_taking(table, &board);
    add_ending_and_holding(table, &board);
}

} // namespace revenant::app
