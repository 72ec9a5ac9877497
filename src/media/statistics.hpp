// A session's counters as the rest of the program reads them.
#pragma once

#include "media/session.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::media {

// The main thread's: the media thread may count on meanwhile.
[[nodiscard]] Statistics statistics_of(const Session& session);

} // namespace revenant::media
