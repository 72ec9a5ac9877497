#include "app/prompt_text.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "revenant/call/machine.hpp"
#include "revenant/call/state_traits.hpp"

namespace revenant::app {

namespace {

using call::Kind;

// In the order of call::Kind.
constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::none)> words{
    "call", "ringing", "calling", "on hold", "found again", "resuming", "ending"};

Kind kind_of(const call::Call& call) {
    const Kind kind = call::traits(call.state).kind;
    const bool is_held = call.dialog.hold.local || call.dialog.hold.remote;
    return kind == Kind::talking && is_held ? Kind::on_hold : kind;
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
