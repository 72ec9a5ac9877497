// Requests inside and outside calls: reinvite, info, options; credentials.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/comeback.hpp"
#include "app/commands/call_commands.hpp"
#include "app/commands/command_tools.hpp"
#include "app/notices.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

namespace {

// INFO and in-dialog OPTIONS: finished when the answer is there.
std::optional<base::Status> until_answered(const Call& call) {
    if (call.requests_open > 0 && call.state != State::over) {
        return std::nullopt;
    }
    if (call.request_status >= 200 && call.request_status < 300) {
        return base::Status{};
    }
    return base::fail(
        base::Errc::not_now,
        call.request_is_local
            ? fmt::format("call {}: {}", call.dialog.number, call.request_reason)
            : fmt::format("call {}: answered with {}", call.dialog.number, call.request_status));
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

void tell_options_answer(const sip::OptionsAnswer& answer,
                         std::int64_t asked_ms,
                         const Done& done) {
    const std::string text = answer.is_local
                                 ? fmt::format("OPTIONS: {}", answer.reason)
                                 : fmt::format("OPTIONS: {} {}", answer.status, answer.reason);
    const bool is_good = answer.status < 300;
    shell::Notice notice{.event = "options",
                         .call = std::nullopt,
                         .tone = is_good ? shell::Tone::good : shell::Tone::attention,
                         .text = text,
                         .fields = {{"status", std::int64_t{answer.status}},
                                    {"source", answer.is_local ? "local" : "peer"},
                                    {"reason", answer.reason}}};
    add_answer(notice, answer.is_local ? -1 : base::read_clock().boot_ms() - asked_ms,
               answer.allow);
    shell::print(notice);
    done(is_good ? base::Status{} : base::fail(base::Errc::unreachable, text));
}

void options_command(Switchboard& board, const Arguments& arguments, const Done& done) {
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
    const std::int64_t asked_ms = base::read_clock().boot_ms();
    const base::Status asked =
        board.agent().ask_options(target, [done, asked_ms](const sip::OptionsAnswer& answer) {
            tell_options_answer(answer, asked_ms, done);
        });
    if (!asked) {
        done(base::fail(asked.error()));
    }
}

// Restored calls are resumed; a call that is established is refreshed.
std::optional<base::Status> until_resumed(const Call& call) {
    if (call.state == State::established) { // with the answer to a refresh that was refused
        return call.last_status < 300 ? base::Status{} : why_over(call);
    }
    if (call.state == State::over) {
        return why_over(call);
    }
    const bool given_up = call.settled && call.dialog.resumes > 0 &&
                          (call.state == State::restored || call.state == State::restoring);
    if (given_up) {
        return base::fail(base::Errc::not_now, fmt::format("call {} could not be resumed: {}",
                                                           call.dialog.number, last_answer(call)));
    }
    return std::nullopt;
}

void reinvite_command(Switchboard& board,
                      Comeback& comeback,
                      const Arguments& arguments,
                      const Done& done) {
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
    comeback.refresh(chosen);
}

void key_command(Switchboard& board, const Arguments& arguments, const Done& done) {
    board.agent().add_credentials(
        {.realm = arguments.at(0), .user = arguments.at(1), .password = arguments.at(2)});
    const std::string realm = base::printable(arguments.at(0), 200);
    const std::string user = base::printable(arguments.at(1), 200);
    shell::print({.event = "credentials.kept",
                  .call = std::nullopt,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("{} answers challenges of realm \"{}\" until the phone ends",
                                      user, realm),
                  .fields = {{"realm", realm}, {"user", user}}});
    done({});
}

} // namespace

void add_request_commands(shell::Table& table, Switchboard& board, Comeback& comeback) {
    // SAFETY: the board outlives the table, and with it every function below.
    Switchboard* b = &board;
    Comeback* c = &comeback;
    add_row(table,
            {"reinvite",
             {},
             "[ID|all]",
             "resume calls found after a restart, or refresh one",
             {0, 1},
             {Completes::call_id}},
            [b, c](const Arguments& a, const Done& d) { reinvite_command(*b, *c, a, d); });
    add_row(table,
            {"info",
             {},
             "[ID] TEXT",
             "send INFO: one DTMF digit, or any text",
             {1, 64},
             {Completes::call_id}},
            [b](const Arguments& a, const Done& d) { info_command(*b, a, d); });
    add_row(table,
            {"options",
             {"o"},
             "URI|ID",
             "ask what a peer can do (OPTIONS), in a call or outside",
             {1, 1},
             {Completes::uri}},
            [b](const Arguments& a, const Done& d) { options_command(*b, a, d); });
    add_row(table,
            {"key",
             {"k"},
             "REALM USER PASSWORD",
             "credentials for a realm, kept in memory only",
             {3, 3},
             {Completes::nothing},
             {},
             true},
            [b](const Arguments& a, const Done& d) { key_command(*b, a, d); });
}

} // namespace revenant::app
