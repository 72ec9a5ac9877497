// Commands that finish later: each waits for a call to come to a state, with a deadline.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/command.hpp"

namespace revenant::app {

class Waits {
public:
    // Asked after each step of a call: nothing means "not yet". It must not outlive what it refers
    // to by more than the Waits do.
    using Condition = std::function<std::optional<base::Status>(const call::Call&)>;

    // `call` nothing: any call. `deadline_ms` 0: none. `what` goes into the time-out's text.
    void add(std::optional<call::Number> call,
             Condition condition,
             std::uint32_t deadline_ms,
             std::string what,
             shell::Done done);

    // A call has made a step.
    void look(const call::Call& call);

    [[nodiscard]] bool empty() const { return waits_.empty(); }

private:
    struct Wait {
        std::optional<call::Number> call;
        Condition condition;
        shell::Done done;
        base::Source timer;
    };

    std::list<Wait> waits_;
};

} // namespace revenant::app
