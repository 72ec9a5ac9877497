#include "app/return_queue.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

// More at once overflow the default receive buffer of a peer (92 messages).
constexpr std::size_t window = 50;

constexpr std::uint32_t progress_ms = 1000;

// A call whose peer does not answer is not to keep the suspects waiting for its whole 32 s.
constexpr std::uint32_t patience_ms = 2000;

} // namespace

void ReturnQueue::add(Turn turn, const std::vector<call::Number>& calls) {
    std::vector<call::Number>& queue = turn == Turn::rebuild ? to_rebuild_ : to_refresh_;
    queue.insert(queue.begin(), calls.rbegin(), calls.rend());
    std::stable_partition(queue.begin(), queue.end(),
                          [this](call::Number call) { return is_suspect(call); });
    watch_progress();
    pump();
}

void ReturnQueue::hurry(call::Number call) {
    const auto found = std::ranges::find(to_rebuild_, call);
    if (found != to_rebuild_.end() && !is_suspect(call)) {
        std::rotate(found, found + 1, to_rebuild_.end());
    }
}

void ReturnQueue::end_turn(call::Number call) {
    if (under_way_.erase(call) > 0) {
        pump();
    }
}

// A suspect goes alone, so that a death while it is under way is a death on it.
bool ReturnQueue::may_begin(call::Number call) {
    if (!is_suspect(call)) {
        return under_way_.size() < window;
    }
    if (under_way_.empty() || is_impatient_) {
        patience_.reset();
        is_impatient_ = false;
        return true;
    }
    if (!patience_) {
        // SAFETY: the source is a member.
        patience_ = base::after_ms(patience_ms, [this] {
            patience_.reset();
            is_impatient_ = true;
            pump();
        });
    }
    return false;
}

void ReturnQueue::begin_turns(Turn turn) {
    std::vector<call::Number>& queue = turn == Turn::rebuild ? to_rebuild_ : to_refresh_;
    while (!queue.empty() && may_begin(queue.back())) {
        const call::Number call = queue.back();
        queue.pop_back();
        under_way_.insert(call); // its turn may end before `begin_` returns
        if (!begin_(call, turn)) {
            under_way_.erase(call);
        }
    }
}

void ReturnQueue::pump() {
    if (is_pumping_) {
        return;
    }
    is_pumping_ = true;
    begin_turns(Turn::rebuild);
    begin_turns(Turn::refresh);
    is_pumping_ = false;
    if (to_rebuild_.empty() && to_refresh_.empty()) {
        progress_.reset();
        gathering_.reset();
    }
    moved_();
}

// A line a second, when there are so many that it takes that long. Their notices are gathered.
void ReturnQueue::watch_progress() {
    if (!progress_ && to_rebuild_.size() + to_refresh_.size() > window) {
        // SAFETY: the source is a member.
        progress_ = base::every_ms(progress_ms, [this] { tell_progress(); });
        gathering_.emplace();
    }
}

void ReturnQueue::tell_progress() const {
    const bool rebuilding = !to_rebuild_.empty();
    const std::size_t left = rebuilding ? to_rebuild_.size() : to_refresh_.size();
    shell::print({.event = "resume.progress",
                  .call = std::nullopt,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("{} call{} still to be {}", left, left == 1 ? "" : "s",
                                      rebuilding ? "rebuilt" : "refreshed"),
                  .fields = {{"left", static_cast<std::int64_t>(left)},
                             {"phase", std::string{rebuilding ? "rebuilding" : "refreshing"}}}});
}

} // namespace revenant::app
