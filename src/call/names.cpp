// Names of states, events and effects, for logs, the crash tests and the table test.
#include <string_view>

#include "revenant/base/variant.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/state_traits.hpp"

namespace revenant::call {

std::string_view name(State state) {
    return traits(state).name;
}

std::string_view name(const Event& event) {
    return base::alternative_name(event);
}

std::string_view name(const Effect& effect) {
    return base::alternative_name(effect);
}

std::string_view name(News news) {
    switch (news) {
    case News::calling: return "calling";
    case News::progress: return "progress";
    case News::incoming: return "incoming";
    case News::established: return "established";
    case News::held: return "held";
    case News::unheld: return "unheld";
    case News::refreshed: return "refreshed";
    case News::info: return "info";
    case News::requested: return "requested";
    case News::refused: return "refused";
    case News::ended: return "ended";
    case News::failed: return "failed";
    case News::restored: return "restored";
    case News::resuming: return "resuming";
    case News::resumed: return "resumed";
    case News::retrying: return "retrying";
    case News::gone: return "gone";
    case News::lost: return "lost";
    case News::trouble: return "trouble";
    }
    return "?";
}

std::string_view name(Verdict verdict) {
    switch (verdict) {
    case Verdict::survived: return "survived";
    case Verdict::finished: return "finished";
    case Verdict::lost: return "lost";
    }
    return "?";
}

} // namespace revenant::call
