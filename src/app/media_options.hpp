// The options that only the media module can judge: sounds and codecs.
#pragma once

#include <string>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

[[nodiscard]] base::Status check_media(const shell::Options& options);

// Those of that name that there are, in that order; all, if that is none.
[[nodiscard]] std::vector<call::Codec> chosen_codecs(const std::vector<std::string>& names);

} // namespace revenant::app
