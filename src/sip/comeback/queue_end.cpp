#include "sip/comeback/queue_end.hpp"

#include <functional>
#include <utility>

#include "revenant/base/source.hpp"

namespace revenant::sip {

QueueEnd::QueueEnd(std::function<void()> reached)
    : reached_{std::move(reached)},
      // SAFETY: both sources are members.
      idle_{base::when_at_rest([this] { reach(); })}, deadline_{base::after_ms(
                                                          deadline_ms, [this] { reach(); })} {}

void QueueEnd::reach() {
    idle_.reset();
    deadline_.reset();
    if (const auto reached = std::exchange(reached_, nullptr)) {
        reached();
    }
}

} // namespace revenant::sip
