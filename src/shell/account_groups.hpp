// The groups [account NAME] of the configuration file, as accounts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/account/account.hpp"
#include "revenant/base/result.hpp"
#include "shell/account_table.hpp"
#include "shell/config_file.hpp"

namespace revenant::shell {

inline constexpr std::size_t accounts_max = 1000;

// "account NAME", also where the name is none.
[[nodiscard]] bool is_account_group(std::string_view group);

class AccountGroups {
public:
    // One group: the line that begins it, and its keys. What is wrong goes to `complain`.
    void read(const Configuration& config,
              std::span<const ConfigEntry> group,
              const std::function<void(base::Error)>& complain);

    // In the order of the file. `auto_answer` is the phone's, for those that say nothing of it.
    [[nodiscard]] std::vector<account::Account>
    take(const std::optional<std::uint16_t>& auto_answer);

private:
    [[nodiscard]] base::Status begin(const ConfigEntry& entry, AccountDraft& draft) const;

    std::vector<AccountDraft> drafts_;
    std::set<std::string, std::less<>> names_; // also of those that are wrong
};

} // namespace revenant::shell
