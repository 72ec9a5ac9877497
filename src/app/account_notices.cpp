#include "app/account_notices.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/account/effect.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

using account::News;
using account::State;

// "account work: ".
std::string whose(const std::string& account) {
    return fmt::format("account {}: ", base::printable(account, 64));
}

std::int64_t seconds_until(std::int64_t boot_ms) {
    return std::max<std::int64_t>(boot_ms - base::read_clock().boot_ms() + 999, 0) / 1000;
}

std::string answer_text(const account::Registration& record) {
    const std::string reason = base::printable(record.last_reason, 200);
    return record.last_status == 0 ? reason : fmt::format("{} {}", record.last_status, reason);
}

struct Words {
    const char* event;
    shell::Tone tone;
    std::string text;
};

Words words_of(const account::Binding& binding, const account::effect::Tell& what) {
    const account::Registration& record = binding.record;
    const std::string registrar = base::printable(record.registrar, 200);
    const std::string detail = base::printable(what.detail, 300);
    switch (what.news) {
    case News::registering:
        return {"account.registering", shell::Tone::faint,
                fmt::format("registering at {}", registrar)};
    case News::registered:
        return {"account.registered", shell::Tone::good,
                fmt::format("registered at {} for {} s", registrar, record.granted_s)};
    case News::refreshed: return {"account.refreshed", shell::Tone::faint, {}};
    case News::unregistered:
        return {"account.unregistered", shell::Tone::plain,
                detail.empty() ? fmt::format("no longer registered at {}", registrar) : detail};
    case News::refused:
        return {"account.refused", shell::Tone::bad,
                fmt::format("{} refuses it: {}", registrar,
                            detail.empty() ? answer_text(record) : detail)};
    case News::waiting:
        return {"account.waiting", shell::Tone::attention,
                fmt::format("not registered ({}), again in {} s",
                            detail.empty() ? answer_text(record) : detail,
                            seconds_until(record.next_boot_ms))};
    case News::lost:
        return {"account.lost", shell::Tone::bad,
                fmt::format("the registration at {} has ended before it could be refreshed{}{}",
                            registrar, detail.empty() ? "" : ": ", detail)};
    case News::restored:
        return {"account.restored", shell::Tone::good,
                fmt::format("still registered at {}, {} s left", registrar,
                            seconds_until(record.expires_boot_ms))};
    case News::moved:
        return {"account.moved", shell::Tone::attention,
                detail.empty() ? fmt::format("registering at {} with a new address", registrar)
                               : detail};
    case News::trouble: break;
    }
    return {"account.trouble", shell::Tone::attention, detail};
}

} // namespace

void tell(const account::Binding& binding, const account::effect::Tell& what) {
    const account::Registration& record = binding.record;
    Words words = words_of(binding, what);
    std::vector<std::pair<std::string, shell::Value>> fields{
        {"account", record.account},
        {"registrar", base::printable(record.registrar, 200)},
        {"state", std::string{name(binding.state)}},
        {"expires_s", std::int64_t{record.granted_s}},
        {"next_s", seconds_until(record.next_boot_ms)}};
    if (record.last_status != 0) {
        fields.emplace_back("status", std::int64_t{record.last_status});
        fields.emplace_back("reason", base::printable(record.last_reason, 200));
    }
    shell::print({.event = words.event,
                  .call = std::nullopt,
                  .tone = words.tone,
                  .text = words.text.empty() ? std::string{} : whose(record.account) + words.text,
                  .fields = std::move(fields)});
}

void tell_left_alone(const account::Registration& record) {
    shell::print({.event = "account.left_alone",
                  .call = std::nullopt,
                  .tone = shell::Tone::attention,
                  .text = whose(record.account) +
                          fmt::format("no longer in the configuration as it was; its registration "
                                      "at {} is left alone, and ends by itself",
                                      base::printable(record.registrar, 200)),
                  .fields = {{"account", record.account}}});
}

void tell_unreachable(const account::Account& account,
                      const std::string& why,
                      std::int64_t wait_ms) {
    shell::print(
        {.event = "account.waiting",
         .call = std::nullopt,
         .tone = shell::Tone::attention,
         .text = whose(account.name) + fmt::format("not registered ({}), again in {} s",
                                                   base::printable(why, 300), wait_ms / 1000),
         .fields = {{"account", account.name},
                    {"reason", base::printable(why, 300)},
                    {"next_s", wait_ms / 1000}}});
}

std::string standing_text(const account::Binding& binding) {
    const account::Registration& record = binding.record;
    switch (binding.state) {
    case State::registered:
    case State::refreshing:
        return fmt::format("registered, {} s left", seconds_until(record.expires_boot_ms));
    case State::waiting:
        return fmt::format("again in {} s ({})", seconds_until(record.next_boot_ms),
                           answer_text(record));
    case State::refused: return fmt::format("refused ({})", answer_text(record));
    case State::off: return "not registered";
    case State::registering:
    case State::leaving: break;
    }
    return std::string{name(binding.state)};
}

base::Status why_not(const account::Binding& binding) {
    return base::fail(base::Errc::unreachable,
                      whose(binding.record.account) + answer_text(binding.record));
}

} // namespace revenant::app
