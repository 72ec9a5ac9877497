#include "app/media_options.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

namespace {

bool is_name_of(const call::Codec& codec, const std::string& name) {
    return base::equals_ignoring_case(codec.name, name);
}

base::Status check_codecs(const std::vector<std::string>& names) {
    const std::vector<call::Codec> all = media::supported_codecs();
    for (const std::string& name : names) {
        if (std::ranges::none_of(all, [&](const auto& codec) { return is_name_of(codec, name); })) {
            std::string known;
            for (const call::Codec& codec : all) {
                known += (known.empty() ? "" : ", ") + codec.name;
            }
            return base::fail(base::Errc::bad_input,
                              fmt::format("codecs: there is no codec \"{}\"; there are: {}",
                                          base::printable(name, 40), known));
        }
    }
    return {};
}

} // namespace

base::Status check_media(const shell::Options& options) {
    return media::check_source(options.source)
        .and_then([&] { return media::check_sink(sink_of(options.sink, 1)); })
        .and_then([&] { return check_codecs(options.codecs); });
}

std::vector<call::Codec> chosen_codecs(const std::vector<std::string>& names) {
    const std::vector<call::Codec> all = media::supported_codecs();
    std::vector<call::Codec> chosen;
    for (const std::string& wanted : names) {
        const auto found =
            std::ranges::find_if(all, [&](const auto& codec) { return is_name_of(codec, wanted); });
        if (found != all.end()) {
            chosen.push_back(*found);
        }
    }
    return chosen.empty() ? all : chosen; // after an upgrade there may be other names
}

} // namespace revenant::app
