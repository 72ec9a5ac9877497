// Effects become actions: one function, one switch.
#pragma once

#include "revenant/base/result.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::app {

class Switchboard;

class Effects {
public:
    // Fails only for Persist.
    [[nodiscard]] static base::Status
    perform(Switchboard& board, call::Call& call, const call::Effect& effect);
};

} // namespace revenant::app
