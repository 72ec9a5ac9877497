#include "app/commands.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

namespace {

using call::Call;
using call::State;
using shell::Arguments;
using shell::Completes;
using shell::Done;

std::string argument(const Arguments& arguments, std::size_t i) {
    return i < arguments.size() ? arguments[i] : std::string{};
}

base::Status why_over(const Call& call) {
    return base::fail(base::Errc::not_now,
                      call.last_status != 0 ? fmt::format("call {}: {} {}", call.dialog.number,
                                                          call.last_status, call.last_reason)
                                            : fmt::format("call {} has ended", call.dialog.number));
}

bool is_alerting(const Call& call) {
    return call.state == State::alerting;
}

bool is_outgoing_early(const Call& call) {
    return call.state == State::inviting || call.state == State::proceeding;
}

bool is_established(const Call& call) {
    return call.state == State::established;
}

bool is_any(const Call& /*call*/) {
    return true;
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

void call_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    const bool wait = argument(arguments, 0) != "-n";
    if (arguments.size() != (wait ? 1U : 2U)) {
        done(base::fail(base::Errc::bad_input, "usage: call [-n] URI"));
        return;
    }
    const auto number = board.dial(arguments.back());
    if (!number || !wait) {
        done(number ? base::Status{} : base::fail(number.error()));
        return;
    }
    board.waits().add(*number, until_established, 0, "call", done);
}

// A command on one call that begins with an event and is finished under a condition.
struct OnCall {
    bool (*fits)(const Call&) = is_any;
    const char* what = "";
    call::Event event;
    Waits::Condition until;
};

void run_on_call(Switchboard& board, const std::string& id, const OnCall& plan, const Done& done) {
    const auto number = board.choose(id, plan.fits, plan.what);
    if (!number) {
        done(base::fail(number.error()));
        return;
    }
    // The condition is asked after each step, so the wait has to stand before the event.
    auto finished = std::make_shared<bool>(false);
    const Done once = [finished, done](const base::Status& status) {
        if (!std::exchange(*finished, true)) {
            done(status);
        }
    };
    board.waits().add(
        *number,
        [finished, until = plan.until](const Call& call) {
            return *finished ? std::optional{base::Status{}} : until(call);
        },
        0, "", once);
    if (base::Status status = board.apply(*number, plan.event); !status) {
        once(status);
    }
}

void hold_command(Switchboard& board, const Arguments& arguments, bool hold, const Done& done) {
    const auto until = [hold](const Call& call) -> std::optional<base::Status> {
        if (call.state == State::over) {
            return why_over(call);
        }
        if (call.state != State::established) {
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
        static_cast<void>(board.apply(number, call::event::HangUp{}));
    }
}

// INFO and in-dialog OPTIONS: finished when the answer is there.
std::optional<base::Status> until_answered(const Call& call) {
    if (call.requests_open > 0 && call.state != State::over) {
        return std::nullopt;
    }
    if (call.request_status >= 200 && call.request_status < 300) {
        return base::Status{};
    }
    return base::fail(base::Errc::not_now, fmt::format("call {}: answered with {}",
                                                       call.dialog.number, call.request_status));
}

void info_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    // `info 3 text`, `info text`: a first word that is a call's number is one.
    const auto number = base::to_u32(argument(arguments, 0));
    const bool has_id = number && board.find(*number) != nullptr;
    std::string body;
    for (std::size_t i = has_id ? 1 : 0; i < arguments.size(); ++i) {
        body += (body.empty() ? "" : " ") + arguments[i];
    }
    const bool is_digit =
        body.size() == 1 && std::string{"0123456789ABCD*#"}.find(body) != std::string::npos;
    const call::event::SendInfo event =
        is_digit ? call::event::SendInfo{.content_type = "application/dtmf-relay",
                                         .body = fmt::format("Signal={}\r\nDuration=160\r\n", body)}
                 : call::event::SendInfo{.content_type = "text/plain", .body = body};
    run_on_call(board, has_id ? argument(arguments, 0) : std::string{},
                {.fits = is_established,
                 .what = "that is established",
                 .event = event,
                 .until = until_answered},
                done);
}

void options_command(Switchboard& board,
                     std::map<std::uint64_t, Done>& open,
                     const Arguments& arguments,
                     const Done& done) {
    const std::string& target = arguments.at(0);
    const auto number = base::to_u32(target);
    if (number && board.find(*number) != nullptr) {
        run_on_call(board, target,
                    {.fits = is_any,
                     .what = "",
                     .event = call::event::SendOptions{},
                     .until = until_answered},
                    done);
        return;
    }
    const auto ticket = board.agent().ask_options(target);
    if (!ticket) {
        done(base::fail(ticket.error()));
        return;
    }
    open.emplace(*ticket, done);
}

// Restored calls are resumed; a call that is established is refreshed.
std::optional<base::Status> until_resumed(const Call& call) {
    if (call.state == State::established) {
        return base::Status{};
    }
    if (call.state == State::over) {
        return why_over(call);
    }
    const bool given_up = call.settled && call.dialog.resumes > 0 &&
                          (call.state == State::restored || call.state == State::restoring);
    if (given_up) {
        return base::fail(base::Errc::not_now,
                          fmt::format("call {} could not be resumed: {}", call.dialog.number,
                                      call.last_status != 0
                                          ? fmt::format("{} {}", call.last_status, call.last_reason)
                                          : std::string{"no answer"}));
    }
    return std::nullopt;
}

void reinvite_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    std::vector<call::Number> chosen;
    const std::string id = argument(arguments, 0);
    if (id.empty() || id == "all") {
        for (const auto& [number, call] : board.calls()) {
            if (call.state == State::restored || call.state == State::restoring) {
                chosen.push_back(number);
            }
        }
    }
    if (chosen.empty() && id == "all") {
        done(base::fail(base::Errc::not_found, "there is no call to resume"));
        return;
    }
    if (chosen.empty()) {
        const auto number = board.choose(id, is_established, "to resume or refresh");
        if (!number) {
            done(base::fail(number.error()));
            return;
        }
        chosen.push_back(*number);
    }
    if (chosen.size() == 1 && board.find(chosen.front())->state == State::established) {
        run_on_call(
            board, std::to_string(chosen.front()),
            {.fits = is_any, .what = "", .event = call::event::Resume{}, .until = until_resumed},
            done);
        return;
    }

    struct Sum {
        std::size_t left = 0;
        base::Status status;
    };

    auto sum = std::make_shared<Sum>(Sum{.left = chosen.size(), .status = {}});
    for (const call::Number number : chosen) {
        board.waits().add(number, until_resumed, 0, "", [sum, done](const base::Status& status) {
            if (!status) {
                sum->status = status;
            }
            if (--sum->left == 0) {
                done(sum->status);
            }
        });
    }
    board.resume(chosen);
}

void key_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    board.agent().add_credentials(
        {.realm = arguments.at(0), .user = arguments.at(1), .password = arguments.at(2)});
    done({});
}

} // namespace

void add_call_commands(shell::Table& table, Switchboard& board) {
    // SAFETY: the board outlives the table, and with it every `run` below.
    Switchboard* b = &board;
    table.add({.name = "call",
               .aliases = {"i", "invite"},
               .arguments = "[-n] URI",
               .help = "call somebody and wait for the answer (-n: do not wait)",
               .group = "Calls",
               .arguments_min = 1,
               .arguments_max = 2,
               .completes = {Completes::uri},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) { call_command(*b, a, d); }});
    table.add({.name = "answer",
               .aliases = {"a"},
               .arguments = "[ID]",
               .help = "answer a call that rings",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 1,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) {
                   run_on_call(*b, argument(a, 0),
                               {.fits = is_alerting,
                                .what = "that rings",
                                .event = call::event::Answer{},
                                .until = until_established},
                               d);
               }});
    table.add({.name = "decline",
               .aliases = {},
               .arguments = "[ID] [STATUS]",
               .help = "refuse a call that rings (486 unless told)",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 2,
               .completes = {Completes::call_id, Completes::words},
               .words = {"486", "480", "603"},
               .secret = false,
               .run = [b](const Arguments& a, Done d) { decline_command(*b, a, d); }});
    const auto decline_with = [&](const char* name, const char* status, const char* help) {
        table.add({.name = name,
                   .aliases = {},
                   .arguments = "[ID]",
                   .help = help,
                   .group = "Calls",
                   .arguments_min = 0,
                   .arguments_max = 1,
                   .completes = {Completes::call_id},
                   .words = {},
                   .secret = false,
                   .run = [b, status](const Arguments& a, Done d) {
                       decline_command(*b, {argument(a, 0), status}, d);
                   }});
    };
    decline_with("d", "480", "refuse with 480 Temporarily Unavailable");
    decline_with("D", "603", "refuse with 603 Decline");
    table.add({.name = "cancel",
               .aliases = {"c"},
               .arguments = "[ID]",
               .help = "give up a call that is not answered yet",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 1,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) {
                   run_on_call(*b, argument(a, 0),
                               {.fits = is_outgoing_early,
                                .what = "that waits for an answer",
                                .event = call::event::HangUp{},
                                .until = until_over},
                               d);
               }});
    table.add({.name = "bye",
               .aliases = {"b"},
               .arguments = "[ID|all]",
               .help = "hang up",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 1,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) { bye_command(*b, a, d); }});
    table.add({.name = "hold",
               .aliases = {},
               .arguments = "[ID]",
               .help = "put the other end on hold",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 1,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) { hold_command(*b, a, true, d); }});
    table.add({.name = "unhold",
               .aliases = {},
               .arguments = "[ID]",
               .help = "take the other end off hold",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 1,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) { hold_command(*b, a, false, d); }});
    table.add({.name = "reinvite",
               .aliases = {},
               .arguments = "[ID|all]",
               .help = "resume calls found after a restart, or refresh one",
               .group = "Calls",
               .arguments_min = 0,
               .arguments_max = 1,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) { reinvite_command(*b, a, d); }});
    table.add({.name = "info",
               .aliases = {},
               .arguments = "[ID] TEXT",
               .help = "send INFO: one DTMF digit, or any text",
               .group = "Calls",
               .arguments_min = 1,
               .arguments_max = 64,
               .completes = {Completes::call_id},
               .words = {},
               .secret = false,
               .run = [b](const Arguments& a, Done d) { info_command(*b, a, d); }});
    auto open = std::make_shared<std::map<std::uint64_t, Done>>();
    board.on_options = [open](std::uint64_t ticket, std::uint16_t status,
                              const std::string& reason) {
        const auto found = open->find(ticket);
        if (found == open->end()) {
            return;
        }
        const Done done = std::move(found->second);
        open->erase(found);
        shell::print({.event = "options",
                      .call = std::nullopt,
                      .tone = status < 300 ? shell::Tone::good : shell::Tone::attention,
                      .text = fmt::format("OPTIONS: {} {}", status, reason),
                      .fields = {{"status", std::int64_t{status}}, {"reason", reason}}});
        done(status < 300 ? base::Status{}
                          : base::fail(base::Errc::unreachable,
                                       fmt::format("OPTIONS: {} {}", status, reason)));
    };
    table.add({.name = "options",
               .aliases = {"o"},
               .arguments = "URI|ID",
               .help = "ask what a peer can do (OPTIONS), in a call or outside",
               .group = "Calls",
               .arguments_min = 1,
               .arguments_max = 1,
               .completes = {Completes::uri},
               .words = {},
               .secret = false,
               .run = [b, open](const Arguments& a, Done d) { options_command(*b, *open, a, d); }});
    table.add({.name = "key",
               .aliases = {"k"},
               .arguments = "REALM USER PASSWORD",
               .help = "credentials for a realm, kept in memory only",
               .group = "Calls",
               .arguments_min = 3,
               .arguments_max = 3,
               .completes = {Completes::nothing},
               .words = {},
               .secret = true,
               .run = [b](const Arguments& a, Done d) { key_command(*b, a, d); }});
}

} // namespace revenant::app
