#include <string>
#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::shell {

std::string_view code_name(base::Errc code) {
    switch (code) {
    case base::Errc::bad_input: return "bad_input";
    case base::Errc::not_found: return "not_found";
    case base::Errc::in_use: return "in_use";
    case base::Errc::corrupt: return "corrupt";
    case base::Errc::too_new: return "too_new";
    case base::Errc::no_space: return "no_space";
    case base::Errc::io: return "io";
    case base::Errc::unreachable: return "unreachable";
    case base::Errc::not_now: return "not_now";
    case base::Errc::unsupported: return "unsupported";
    case base::Errc::internal: return "internal";
    }
    return "internal";
}

Notice failure_notice(const base::Error& error, std::string_view origin) {
    Notice notice{.event = "error",
                  .call = {},
                  .tone = Tone::bad,
                  .text = error.context,
                  .fields = {{"code", std::string{code_name(error.code)}}}};
    if (!origin.empty()) {
        notice.text = std::string{origin} + ": " + error.context;
        notice.fields.emplace_back("origin", std::string{origin});
    }
    return notice;
}

} // namespace revenant::shell
