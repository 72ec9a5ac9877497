// Who the user is to others, as the configuration has it: one [account NAME] each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/call/transport.hpp"

namespace revenant::account {

// Where the password is; never the password itself.
struct PasswordSource {
    enum class Kind : std::uint8_t {
        none,        // the user is asked, or has said it with `key`
        file,        // the first line of a file that only its owner may read
        command,     // the first line that a command prints
        environment, // a variable
    };

    Kind kind = Kind::none;
    std::string where = {}; // path, command, or variable

    friend bool operator==(const PasswordSource&, const PasswordSource&) = default;
};

struct Account {
    std::string name;                // is_name()
    std::string aor;                 // our address of record, a URI: "sip:alice@example.org"
    std::string display_name = {};   // without quotes
    std::string registrar = {};      // a URI; empty: that of the AOR's host (RFC 3261 §10.2)
    std::string outbound_proxy = {}; // a URI, or empty
    std::optional<call::Transport> transport = {}; // to registrar and proxy
    std::string user = {};                         // in credentials; empty: the AOR's
    PasswordSource password = {};
    bool registers = true;                         // by itself, at the start
    std::uint32_t expires_s = 3600;                // asked for: 60 to 86400
    std::vector<std::string> codecs = {};          // in order of preference; empty: the phone's
    std::optional<std::uint16_t> auto_answer = {}; // the status to answer each call with
    std::string instance_id = {}; // "urn:uuid:…" (RFC 5626 §4.1); empty: one is made and kept

    friend bool operator==(const Account&, const Account&) = default;
};

inline constexpr std::size_t name_max = 64;

// 1 to 64 letters, digits, '.', '_' and '-', the first one a letter or a digit: it is part of file
// names.
[[nodiscard]] bool is_name(std::string_view text);

} // namespace revenant::account
