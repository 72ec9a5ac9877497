#include "shell/account_groups.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/account/account.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "shell/suggest.hpp"

namespace revenant::shell {

namespace {

constexpr std::string_view word = "account";

tl::unexpected<base::Error> wrong(std::string context) {
    return base::fail(base::Errc::bad_input, std::move(context));
}

// "work" of "account work".
std::string_view name_of(std::string_view group) {
    return base::trim(group.substr(word.size()));
}

base::Error unknown_key(const ConfigEntry& entry) {
    std::vector<Spelling> spellings;
    for (const AccountRow& row : account_table()) {
        spellings.push_back({.text = std::string{row.key}, .meaning = std::string{row.key}});
    }
    const std::string guess = did_you_mean(nearest(spellings, entry.key));
    return {.code = base::Errc::bad_input,
            .context = "there is no key '" + base::printable(entry.key, 40) + "' in [" +
                       base::printable(entry.group, 80) + "]" +
                       (guess.empty() ? "; revenant.conf(5) lists the keys" : guess)};
}

} // namespace

bool is_account_group(std::string_view group) {
    return group.starts_with(word) && (group.size() == word.size() || group[word.size()] == ' ');
}

base::Status AccountGroups::begin(const ConfigEntry& entry, AccountDraft& draft) const {
    const std::string_view name = name_of(entry.group);
    if (name.empty()) {
        return wrong("an account has a name: [account NAME]");
    }
    if (!account::is_name(name)) {
        return wrong("'" + base::printable(name, 80) +
                     "' is no name for an account: 1 to 64 letters, digits, '.', '_' and '-', a "
                     "letter or a digit first");
    }
    if (names_.contains(name)) {
        return wrong("there is an account '" + std::string{name} + "' already");
    }
    if (names_.size() == accounts_max) {
        return wrong("there are more than " + std::to_string(accounts_max) + " accounts");
    }
    draft.account.name = name;
    return {};
}

void AccountGroups::read(const Configuration& config,
                         std::span<const ConfigEntry> group,
                         const std::function<void(base::Error)>& complain) {
    const ConfigEntry& head = group.front();
    const auto complain_at = [&](const ConfigEntry& entry, base::Error error) {
        error.context.insert(0, config_place(config, entry.line));
        complain(std::move(error));
    };
    AccountDraft draft;
    if (auto status = begin(head, draft); !status) {
        complain_at(head, std::move(status.error()));
    }
    bool says_aor = false;
    for (const ConfigEntry& entry : group.subspan(1)) {
        const AccountRow* row = find_account_key(entry.key);
        if (row == nullptr) {
            complain_at(entry, unknown_key(entry));
            continue;
        }
        says_aor = says_aor || row->key == "aor";
        const Said said{.name = entry.key, .text = entry.value, .origin = Origin::file};
        if (auto status = row->apply(draft, said); !status) {
            complain_at(entry, std::move(status.error()));
        }
    }
    if (!says_aor) {
        complain_at(head, {.code = base::Errc::bad_input,
                           .context = "[" + base::printable(head.group, 80) +
                                      "] does not say who it is: aor = sip:alice@example.org"});
    }
    names_.insert(draft.account.name);
    drafts_.push_back(std::move(draft));
}

std::vector<account::Account> AccountGroups::take(const std::optional<std::uint16_t>& auto_answer) {
    std::vector<account::Account> accounts;
    accounts.reserve(drafts_.size());
    for (AccountDraft& draft : drafts_) {
        if (draft.display_name) {
            draft.account.display_name = std::move(*draft.display_name);
        }
        if (!draft.has_auto_answer) {
            draft.account.auto_answer = auto_answer;
        }
        accounts.push_back(std::move(draft.account));
    }
    drafts_.clear();
    return accounts;
}

} // namespace revenant::shell
