// Accounts, and their registrations.
#include "app/commands/account_commands.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/account_notices.hpp"
#include "app/accounts.hpp"
#include "app/commands/command_tools.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

void accounts_command(const Accounts& accounts, const Done& done) {
    const std::vector<Accounts::View> all = accounts.all();
    for (const Accounts::View& one : all) {
        const bool is_chosen = one.account.name == accounts.chosen();
        shell::print(
            {.event = "account.listed",
             .call = std::nullopt,
             .tone = shell::Tone::plain,
             .text = fmt::format("{} {:<12} {:<32} {}", is_chosen ? '*' : ' ', one.account.name,
                                 base::printable(one.account.aor, 200), standing_text(one.binding)),
             .fields = {{"account", one.account.name},
                        {"aor", base::printable(one.account.aor, 200)},
                        {"state", std::string{name(one.binding.state)}},
                        {"default", is_chosen},
                        {"call_id", base::printable(one.binding.record.call_id, 200)},
                        {"cseq", std::int64_t{one.binding.record.cseq}},
                        {"restarts", std::int64_t{one.binding.record.restarts}}}});
    }
    if (all.empty()) {
        shell::print({.event = "account.none",
                      .call = std::nullopt,
                      .tone = shell::Tone::faint,
                      .text = "no accounts",
                      .fields = {}});
    }
    done({});
}

void account_command(Accounts& accounts, const Arguments& arguments, const Done& done) {
    const auto found = accounts.find(argument(arguments, 0));
    if (!found) {
        done(base::fail(found.error()));
        return;
    }
    accounts.choose(*found);
    shell::print({.event = "account.chosen",
                  .call = std::nullopt,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("calls are made as {} from now on", *found),
                  .fields = {{"account", *found}}});
    done({});
}

void with_account(Accounts& accounts,
                  const Arguments& arguments,
                  void (Accounts::*act)(const std::string&, const Done&),
                  const Done& done) {
    const auto found = accounts.find(argument(arguments, 0));
    found ? (accounts.*act)(*found, done) : done(base::fail(found.error()));
}

} // namespace

void add_account_commands(shell::Table& table, Accounts& accounts) {
    // SAFETY: the accounts outlive the table.
    Accounts* all = &accounts;
    std::vector<std::string> names;
    for (const Accounts::View& one : accounts.all()) {
        names.push_back(one.account.name);
    }
    add_row(table, {"accounts", {}, "", "list the accounts", {0, 0}, {}},
            [all](const Arguments&, const Done& d) { accounts_command(*all, d); });
    add_row(table,
            {"account",
             {},
             "NAME",
             "make calls as this account from now on",
             {1, 1},
             {Completes::words},
             names},
            [all](const Arguments& a, const Done& d) { account_command(*all, a, d); });
    add_row(table,
            {"register",
             {"r"},
             "[NAME]",
             "tell the registrar where an account is to be reached",
             {0, 1},
             {Completes::words},
             names},
            [all](const Arguments& a, const Done& d) {
                with_account(*all, a, &Accounts::register_at, d);
            });
    add_row(table,
            {"unregister", {"u"}, "[NAME]", "take that back", {0, 1}, {Completes::words}, names},
            [all](const Arguments& a, const Done& d) {
                with_account(*all, a, &Accounts::unregister, d);
            });
}

} // namespace revenant::app
