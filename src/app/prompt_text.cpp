#include "app/prompt_text.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "revenant/call/machine.hpp"

namespace revenant::app {

namespace {

// In the order in which they are named.
enum class Kind : std::size_t { talking, ringing, calling, on_hold, found, resuming, ending, none };

constexpr std::array<std::string_view, 7> words{"call",        "ringing",  "calling", "on hold",
                                                "found again", "resuming", "ending"};

Kind kind_of(const call::Call& call) {
    switch (call.state) {
    case call::State::inviting:
    case call::State::proceeding:
    case call::State::canceling: return Kind::calling;
    case call::State::alerting: return Kind::ringing;
    case call::State::answering:
    case call::State::established:
    case call::State::modifying:
        return call.dialog.hold.local || call.dialog.hold.remote ? Kind::on_hold : Kind::talking;
    case call::State::refusing:
    case call::State::ending: return Kind::ending;
    case call::State::idle:
    case call::State::restoring:
    case call::State::replaying:
    case call::State::restored: return Kind::found;
    case call::State::resuming:
    case call::State::detour:
    case call::State::retrying: return Kind::resuming;
    case call::State::over: return Kind::none;
    }
    return Kind::none;
}

} // namespace

std::string prompt_text(const std::map<call::Number, call::Call>& calls) {
    std::array<std::size_t, words.size() + 1> counts{};
    for (const auto& [number, call] : calls) {
        ++counts.at(static_cast<std::size_t>(kind_of(call)));
    }
    std::string text;
    for (std::size_t kind = 0; kind < words.size(); ++kind) {
        if (const std::size_t count = counts.at(kind); count > 0) {
            const bool plural = kind == static_cast<std::size_t>(Kind::talking) && count > 1;
            text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", count, words.at(kind),
                                plural ? "s" : "");
        }
    }
    return text.empty() ? "revenant> " : fmt::format("revenant ({})> ", text);
}

} // namespace revenant::app
