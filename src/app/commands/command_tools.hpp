// What the files of call commands share.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands/waits.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::app {

// The words that commands are written in.
using call::Call;
using call::State;
using shell::Arguments;
using shell::Completes;
using shell::Done;

[[nodiscard]] inline std::string argument(const shell::Arguments& arguments, std::size_t i) {
    return i < arguments.size() ? arguments[i] : std::string{};
}

[[nodiscard]] bool is_established(const call::Call& call);
[[nodiscard]] bool is_any(const call::Call& call);

// What became of our last INVITE: the peer's answer, or why there is none.
[[nodiscard]] std::string last_answer(const call::Call& call);

// Why a command that waits on a call fails when the call is over.
[[nodiscard]] base::Status why_over(const call::Call& call);

// A command on one call: begins with an event, is finished when the condition says so.
struct OnCall {
    bool (*fits)(const call::Call&) = is_any; // which calls are meant when no id is given
    const char* what = "";                    // the same in words: "that rings"
    call::Event event;
    Waits::Condition until;
};

void run_on_call(Switchboard& board,
                 const std::string& id,
                 const OnCall& plan,
                 const shell::Done& done);

// One row of the command table, in the group "Calls".
struct Row {
    const char* name;
    std::vector<std::string> aliases;
    const char* arguments; // usage
    const char* help;
    std::pair<std::size_t, std::size_t> count; // of arguments, least and most
    std::vector<shell::Completes> completes;
    std::vector<std::string> words = {};
    bool secret = false;
};

void add_row(shell::Table& table,
             Row row,
             std::function<void(const shell::Arguments&, const shell::Done&)> run);

} // namespace revenant::app
