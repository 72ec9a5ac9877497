// Who we are and where we listen, as the SIP side is told at its start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "revenant/account/account.hpp"
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
    std::string account = {}; // whose they are; empty: everybody's
};

// Lines REALM:USER:PASSWORD, '#' comments. The file must be readable by its owner only.
[[nodiscard]] base::Result<std::vector<Credentials>> read_credentials(const std::string& path);

struct Settings {
    std::string aor;               // name-addr or addr-spec, ours
    std::string display_name = {}; // ours, without quotes
    std::vector<Listen> listen;
    std::string outbound_proxy; // a URI, or empty
    // Others who we are, each with a proxy of its own; the above is who we are without an account.
    std::vector<account::Account> accounts = {};
    std::vector<Credentials> credentials;
    std::string nonce_page = {}; // file for the counts of nonces; empty: they are in memory
    std::uint32_t session_expires_s = 1800; // 0: no timer asked for
};

} // namespace revenant::sip
