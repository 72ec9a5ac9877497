#include "revenant/account/machine.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "account/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::account {

std::string_view name(State state) {
    switch (state) {
    case State::off: return "off";
    case State::registering: return "registering";
    case State::registered: return "registered";
    case State::refreshing: return "refreshing";
    case State::waiting: return "waiting";
    case State::refused: return "refused";
    case State::leaving: return "leaving";
    }
    return "?";
}

std::string_view name(News news) {
    switch (news) {
    case News::registering: return "registering";
    case News::registered: return "registered";
    case News::refreshed: return "refreshed";
    case News::unregistered: return "unregistered";
    case News::refused: return "refused";
    case News::waiting: return "waiting";
    case News::lost: return "lost";
    case News::restored: return "restored";
    case News::moved: return "moved";
    case News::trouble: return "trouble";
    }
    return "?";
}

Step step(const Binding& binding, const Event& event, base::Now now, const Draw& draw) {
    const Circumstances c{.now = now, .draw = draw};
    return std::visit([&](const auto& e) { return on(binding, e, c); }, event);
}

Binding revive(Registration record) {
    Binding binding;
    record.restarts += 1;
    binding.is_wanted = record.standing != Standing::leaving;
    // Failures are none of a refused CSeq: who has failed before the death has had its turn.
    binding.is_known = record.failures > 0;
    binding.record = std::move(record);
    return binding;
}

void move_into_boot(Registration& record, const std::string& boot_id, base::Now now) {
    const bool is_this_boot = record.boot_id == boot_id && !boot_id.empty();
    const auto move = [&](std::int64_t& real_ms, std::int64_t& boot_ms) {
        if (real_ms == 0) {
            boot_ms = 0;
        } else if (is_this_boot) {
            real_ms = std::max<std::int64_t>(now.real_ms() + (boot_ms - now.boot_ms()), 1);
        } else {
            const std::int64_t left_ms =
                std::min(real_ms, call::BootTimes::most_ms) - now.real_ms();
            boot_ms = std::max<std::int64_t>(now.boot_ms() + left_ms, 1); // 0 is none
        }
    };
    move(record.expires_ms, record.expires_boot_ms);
    move(record.next_ms, record.next_boot_ms);
    record.rests_boot_ms = is_this_boot ? record.rests_boot_ms : 0;
    record.boot_id = boot_id;
}

std::string check(const Binding& binding) {
    const Registration& record = binding.record;
    const bool must_be_open =
        binding.state == State::registering || binding.state == State::refreshing;
    if (must_be_open && !binding.is_open) {
        return "a REGISTER that nobody has sent";
    }
    if (binding.is_open && !must_be_open && binding.state != State::leaving) {
        return "an open REGISTER that no state waits for";
    }
    if (binding.is_open && record.cseq == 0) {
        return "a REGISTER without a number";
    }
    const bool waits = binding.state != State::off && binding.state != State::refused;
    if (waits != (binding.due_ms != 0)) {
        return waits ? "nothing will ever happen" : "a timer for nothing";
    }
    if (binding.sent_in_a_row > budget) {
        return "more requests than the budget has";
    }
    if (waits && record.call_id.empty()) {
        return "a binding without a Call-ID";
    }
    return {};
}

} // namespace revenant::account
