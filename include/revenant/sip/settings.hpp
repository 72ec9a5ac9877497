// Who we are and where we listen, as the SIP side is told at its start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::sip {

struct Listen {
    call::Endpoint at;
    std::optional<call::Transport> transport; // both when not given
};

// For one realm; an empty realm fits all.
struct Credentials {
    std::string realm;
    std::string user;
    std::string password;
};

// Lines REALM:USER:PASSWORD, '#' comments. The file must be readable by its owner only.
[[nodiscard]] base::Result<std::vector<Credentials>> read_credentials(const std::string& path);

struct Settings {
    std::string aor;               // name-addr or addr-spec, ours
    std::string display_name = {}; // ours, without quotes
    std::vector<Listen> listen;
    std::string outbound_proxy; // a URI, or empty
    std::vector<Credentials> credentials;
    std::uint32_t session_expires_s = 1800; // 0: no timer asked for
};

} // namespace revenant::sip
