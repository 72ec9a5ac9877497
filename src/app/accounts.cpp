#include "app/accounts.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/account_notices.hpp"
#include "app/account_settings.hpp"
#include "revenant/account/effect.hpp"
#include "revenant/account/event.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/overloaded.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

namespace {

using account::State;

constexpr std::int64_t spread_ms = 10;         // between the first REGISTERs of two accounts
constexpr std::uint32_t patience_ms = 10'000;  // of `register`, for the first answer
constexpr std::int64_t lookup_first_ms = 5000; // until a registrar's name is asked for again
constexpr std::int64_t lookup_most_ms = 300'000;

bool is_under_way(State state) {
    return state == State::registering || state == State::refreshing;
}

// The registrar of an AOR is at its host (RFC 3261 §10.2), unless the account says where.
std::string registrar_of(const account::Account& account) {
    if (!account.registrar.empty()) {
        return account.registrar;
    }
    const std::size_t at = account.aor.find('@');
    return at == std::string::npos ? account.aor : "sip:" + account.aor.substr(at + 1);
}

// The binding that the account would make, had it none.
bool is_of(const account::Registration& record, const account::Account& account) {
    return record.aor == account.aor &&
           (record.home.empty() ? record.registrar : record.home) == registrar_of(account) &&
           record.outbound_proxy == account.outbound_proxy &&
           record.transport == account.transport.value_or(record.transport);
}

std::string uri_in(const std::string& name_addr) {
    const std::size_t begin = name_addr.find('<');
    const std::size_t end = name_addr.find('>', begin == std::string::npos ? 0 : begin);
    return begin == std::string::npos || end == std::string::npos
               ? name_addr
               : name_addr.substr(begin + 1, end - begin - 1);
}

// RFC 9562 §5.4
std::string new_instance_id() {
    const auto r = [] { return base::random_u32(); };
    return fmt::format("urn:uuid:{:08x}-{:04x}-4{:03x}-{:04x}-{:08x}{:04x}", r(), r() & 0xFFFFU,
                       r() & 0xFFFU, 0x8000U | (r() & 0x3FFFU), r(), r() & 0xFFFFU);
}

} // namespace

Accounts::Accounts(std::vector<account::Account> accounts, journal::Store& store) : store_{&store} {
    for (account::Account& account : accounts) {
        const std::string name = account.name;
        order_.push_back(name);
        // SAFETY: the run is a member's.
        entries_.emplace(name, Entry{.account = std::move(account),
                                     .run = {*store_,
                                             {.perform =
                                                  [this, name](const account::Binding& binding,
                                                               const account::Effect& effect) {
                                                      perform(name, binding, effect);
                                                  },
                                              .stepped = [this, name] { stepped(name); }}}});
    }
    chosen_ = order_.empty() ? std::string{} : order_.front();
}

Accounts::~Accounts() = default;

Accounts::Entry& Accounts::entry(const std::string& name) {
    return entries_.at(name);
}

void Accounts::take_over(std::vector<account::Registration> records) {
    for (account::Registration& record : records) {
        const auto found = entries_.find(record.account);
        if (found == entries_.end()) {
            tell_left_alone(record);
            continue;
        }
        if (!is_of(record, found->second.account)) { // its [account] says something else by now
            tell_left_alone(record);
            continue;
        }
        account::move_into_boot(record, base::boot_id(), base::read_clock());
        found->second.run.begin_with(account::revive(std::move(record)));
    }
}

void Accounts::begin(sip::Agent& agent) {
    agent_ = &agent;
    agent.registrations().tell(*this);
    std::int64_t at_ms = base::read_clock().boot_ms();
    for (const std::string& name : order_) {
        Entry& one = entry(name);
        if (!one.run.binding().record.call_id.empty()) {
            restore(name);
        } else if (one.account.registers) {
            set_due(one, at_ms);
            at_ms += spread_ms;
        }
    }
    serve_due();
}

void Accounts::restore(const std::string& name) {
    Entry& one = entry(name);
    const account::Registration& record = one.run.binding().record;
    agent_->registrations().learn(record);
    const bool listens = agent_->registrations().listens(record);
    one.run.arrive(
        account::event::Restore{.has_flow = !listens || agent_->registrations().has_flow(record),
                                .settings_id = settings_id(one.account)});
    if (!listens) {
        follow_address(name);
    }
}

// We listen elsewhere than the earlier life.
void Accounts::follow_address(const std::string& name) {
    Entry& one = entry(name);
    const std::uint64_t id = agent_->locate(
        registrar_of(one.account), name, [this, name](const base::Result<sip::Origin>& origin) {
            Entry& found = entry(name);
            found.lookup = 0;
            if (origin) {
                found.run.arrive(
                    account::event::Moved{.local = origin->local, .contact = origin->address});
            } else {
                tell_unreachable(found.account, origin.error().context, 0);
            }
        });
    if (id != 0) {
        one.lookup = id;
    }
}

// Where the registrar is decides from which of our addresses it is reached.
void Accounts::start(const std::string& name) {
    Entry& one = entry(name);
    if (one.lookup != 0) {
        return;
    }
    const auto located = [this, name](const base::Result<sip::Origin>& origin) {
        Entry& found = entry(name);
        found.lookup = 0;
        if (origin) {
            found.lookups_failed = 0;
            if (found.run.is_idle()) {
                prepare(found, *origin);
            }
            found.run.arrive(account::event::Register{});
            return;
        }
        on_unreachable(name, origin.error());
    };
    const std::uint64_t id = agent_->locate(registrar_of(one.account), name, located);
    if (id != 0) {
        one.lookup = id;
    }
}

// It is tried again; who waits for the first try is told.
void Accounts::on_unreachable(const std::string& name, const base::Error& error) {
    Entry& one = entry(name);
    const std::int64_t wait_ms =
        std::min(lookup_first_ms << std::min(one.lookups_failed++, 8U), lookup_most_ms);
    tell_unreachable(one.account, error.context, wait_ms);
    set_due(one, base::read_clock().boot_ms() + wait_ms);
    std::vector<Done> told;
    for (auto wait = waits_.begin(); wait != waits_.end();) {
        const bool is_of_try = wait->account == name && wait->is_of_try;
        if (is_of_try) {
            told.push_back(std::move(wait->done));
        }
        wait = is_of_try ? waits_.erase(wait) : std::next(wait);
    }
    for (const Done& done : told) {
        done(base::fail(error));
    }
}

// What the record begins with; what is there already stays, so that a binding keeps its Call-ID.
void Accounts::prepare(Entry& one, const sip::Origin& origin) const {
    account::Registration& record = one.run.record();
    record.account = one.account.name;
    record.aor = one.account.aor;
    record.from = origin.from;
    record.registrar = uri_in(registrar_of(one.account));
    record.home.clear();
    record.outbound_proxy = one.account.outbound_proxy;
    record.asked_s = one.account.expires_s;
    if (!record.contact.empty() && record.contact != origin.address) {
        record.old_contact = record.contact;
    }
    record.contact = origin.address;
    record.boot_id = base::boot_id();
    record.settings_id = settings_id(one.account);
    record.local = origin.local;
    record.transport = origin.transport;
    if (record.call_id.empty()) {
        record.call_id = base::random_token(24);
        record.from_tag = base::random_token(16);
    }
    if (record.instance_id.empty()) {
        record.instance_id =
            one.account.instance_id.empty() ? new_instance_id() : one.account.instance_id;
    }
}

void Accounts::perform(const std::string& name,
                       const account::Binding& binding,
                       const account::Effect& effect) {
    std::visit(base::Overloaded{
                   [&](const account::effect::Send& e) {
                       agent_->registrations().send(binding.record, e);
                   },
                   [&](const account::effect::Abandon&) { agent_->registrations().abandon(name); },
                   [&](const account::effect::WaitUntil& e) { set_due(entry(name), e.boot_ms); },
                   [&](const account::effect::WaitForNothing&) { set_due(entry(name), 0); },
                   [&](const account::effect::Tell& e) { tell(binding, e); },
                   [](const account::effect::Persist&) {}, // the run's
                   [](const account::effect::Forget&) {},
               },
               effect);
}

void Accounts::on_event(const std::string& account, const account::Event& event) {
    if (entries_.contains(account)) {
        entry(account).run.arrive(event);
    }
}

void Accounts::stepped(const std::string& name) {
    const account::Binding& binding = entry(name).run.binding();
    agent_->registrations().learn(binding.record);
    for (auto wait = waits_.begin(); wait != waits_.end();) {
        const auto status =
            wait->account == name ? wait->condition(binding) : std::optional<base::Status>{};
        if (!status) {
            ++wait;
            continue;
        }
        const Done done = std::move(wait->done);
        wait = waits_.erase(wait);
        done(*status);
        wait = waits_.begin(); // it may have changed the list
    }
}

// ---- Timers ------------------------------------------------------------------------------------

void Accounts::set_due(Entry& one, std::int64_t boot_ms) {
    const auto [from, to] = due_.equal_range(one.due_ms);
    for (auto it = from; it != to; ++it) {
        if (it->second == one.account.name) {
            due_.erase(it);
            break;
        }
    }
    one.due_ms = boot_ms;
    if (boot_ms != 0) {
        due_.emplace(boot_ms, one.account.name);
    }
    arm_timer();
}

void Accounts::arm_timer() {
    timer_.reset();
    if (due_.empty()) {
        return;
    }
    const std::int64_t left = due_.begin()->first - base::read_clock().boot_ms();
    constexpr std::int64_t day_ms = 86'400'000;
    // SAFETY: the source is a member.
    timer_ = base::after_ms(static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, day_ms)),
                            [this] { serve_due(); });
}

void Accounts::serve_due() {
    timer_.reset();
    const std::int64_t now_ms = base::read_clock().boot_ms();
    while (!due_.empty() && due_.begin()->first <= now_ms) {
        const std::string name = due_.begin()->second;
        due_.erase(due_.begin());
        Entry& one = entry(name);
        one.due_ms = 0;
        if (one.run.binding().state == State::off) {
            start(name);
        } else {
            one.run.arrive(account::event::Due{});
        }
    }
    arm_timer();
}

// ---- For commands ------------------------------------------------------------------------------

std::vector<Accounts::View> Accounts::all() const {
    std::vector<View> views;
    views.reserve(order_.size());
    for (const std::string& name : order_) {
        const Entry& one = entries_.at(name);
        views.push_back({one.account, one.run.binding()});
    }
    return views;
}

base::Result<std::string> Accounts::find(std::string_view name) const {
    const std::string wanted = name.empty() ? chosen_ : std::string{name};
    if (entries_.contains(wanted)) {
        return wanted;
    }
    if (entries_.empty()) {
        return base::fail(base::Errc::not_found,
                          "there is no account; write one into the configuration file: a group "
                          "[account NAME] with aor = sip:USER@HOST");
    }
    constexpr std::size_t shown_max = 10;
    const auto end =
        order_.begin() + static_cast<std::ptrdiff_t>(std::min(order_.size(), shown_max));
    return base::fail(base::Errc::not_found,
                      fmt::format("there is no account \"{}\"; there are: {}{}",
                                  base::printable(wanted, 64), fmt::join(order_.begin(), end, ", "),
                                  order_.size() > shown_max ? ", …" : ""));
}

void Accounts::register_at(const std::string& name, const Done& done) {
    const std::uint32_t before = entry(name).run.binding().record.cseq;
    const auto answered = [before](const account::Binding& binding) -> std::optional<base::Status> {
        if (is_under_way(binding.state) || binding.record.cseq == before) {
            return std::nullopt;
        }
        return binding.state == State::registered ? base::Status{} : why_not(binding);
    };
    wait(name, answered, patience_ms, done);
    waits_.back().is_of_try = true;
    start(name);
}

void Accounts::unregister(const std::string& name, const Done& done) {
    Entry& one = entry(name);
    if (one.lookup != 0) {
        agent_->give_up(std::exchange(one.lookup, 0));
    }
    set_due(one, 0);
    if (one.run.binding().state == State::off) {
        done({});
        return;
    }
    wait(
        name,
        [](const account::Binding& binding) {
            return binding.state == State::off ? std::optional{base::Status{}} : std::nullopt;
        },
        0, done);
    one.run.arrive(account::event::Unregister{});
}

void Accounts::wait_registered(const std::string& name,
                               std::uint32_t deadline_ms,
                               const Done& done) {
    const auto registered = [](const account::Binding& binding) -> std::optional<base::Status> {
        if (binding.state == State::refused) {
            return why_not(binding);
        }
        const bool is_there =
            binding.state == State::registered || binding.state == State::refreshing;
        return is_there ? std::optional{base::Status{}} : std::nullopt;
    };
    if (const auto now = registered(entry(name).run.binding())) {
        done(*now);
        return;
    }
    wait(name, registered, deadline_ms, done);
}

void Accounts::wait(const std::string& name,
                    Condition condition,
                    std::uint32_t deadline_ms,
                    const Done& done) {
    const auto self = waits_.insert(
        waits_.end(),
        {.account = name, .condition = std::move(condition), .done = done, .timer = {}});
    if (deadline_ms == 0) {
        return;
    }
    // SAFETY: the source is the element's, and ends with it.
    self->timer = base::after_ms(deadline_ms, [this, self, deadline_ms] {
        const Wait over = std::move(*self);
        waits_.erase(self);
        over.done(base::fail(base::Errc::unreachable,
                             fmt::format("account {} is not registered after {} s", over.account,
                                         deadline_ms / 1000)));
    });
}

void Accounts::keyed() {
    for (const std::string& name : order_) {
        entry(name).run.arrive(account::event::Keyed{});
    }
}

void Accounts::leave(const std::function<void()>& done) {
    const auto left = std::make_shared<std::size_t>(order_.size() + 1);
    const auto finish = [left, done](const base::Status&) {
        if (--*left == 0) {
            done();
        }
    };
    for (const std::string& name : order_) {
        unregister(name, finish);
    }
    finish({});
}

bool Accounts::is_settled() const {
    return std::ranges::all_of(entries_, [](const auto& one) { return one.second.run.is_idle(); });
}

} // namespace revenant::app
