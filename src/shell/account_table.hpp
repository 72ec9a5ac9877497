// Every key of a group [account NAME] in the configuration file, said once: reading and the manual
// page are made of these rows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "revenant/account/account.hpp"
#include "revenant/base/result.hpp"
#include "shell/option_table.hpp"

namespace revenant::shell {

// What the keys of one group are put into.
struct AccountDraft {
    account::Account account;
    std::optional<std::string> display_name; // the key's, which counts before the AOR's
    bool has_auto_answer = false;            // else the phone's counts
};

struct AccountRow {
    std::string_view key = {};
    std::string_view argument = {}; // as an OptionRow's
    std::string_view help = {};
    base::Status (*apply)(AccountDraft&, const Said&) = nullptr;
};

// In the order of the manual page.
[[nodiscard]] std::span<const AccountRow> account_table();

[[nodiscard]] const AccountRow* find_account_key(std::string_view key);

} // namespace revenant::shell
