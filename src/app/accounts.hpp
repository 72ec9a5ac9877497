// The accounts of the phone and their registrations: what happens to one comes here from the user,
// from its registrar and from its timer, goes through the account machine, and comes back as
// effects to perform.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/registration_run.hpp"
#include "revenant/account/account.hpp"
#include "revenant/account/machine.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

class Accounts final : public sip::RegistrationListener {
public:
    using Done = std::function<void(base::Status)>;

    // The store is borrowed, and outlives it.
    Accounts(std::vector<account::Account> accounts, journal::Store& store);
    Accounts(const Accounts&) = delete;
    Accounts& operator=(const Accounts&) = delete;
    ~Accounts() override;

    // Records of an earlier life, before there is a SIP side.
    void take_over(std::vector<account::Registration> records);
    // The SIP side is there, and all calls are. What is registered stays so without a word, what is
    // to be registered is, one after another.
    void begin(sip::Agent& agent);

    // ---- For commands ----
    struct View {
        const account::Account& account;
        const account::Binding& binding;
    };

    [[nodiscard]] std::vector<View> all() const;
    // By name; an empty one: the default account. Errc::not_found says what there is.
    [[nodiscard]] base::Result<std::string> find(std::string_view name) const;

    // Whose calls are made unless told; empty: nobody's.
    [[nodiscard]] const std::string& chosen() const { return chosen_; }

    void choose(const std::string& name) { chosen_ = name; }

    // `done` comes once: when the registrar has accepted or refused it, or its first answer is
    // overdue; it is tried again all the same.
    void register_at(const std::string& name, const Done& done);
    void unregister(const std::string& name, const Done& done);
    // Until it is registered; `deadline_ms` 0: none.
    void wait_registered(const std::string& name, std::uint32_t deadline_ms, const Done& done);
    // There are credentials that were not there.
    void keyed();

    // Removes all bindings, as far as registrars answer (the end of the phone).
    void leave(const std::function<void()>& done);

    // Nothing waits for the store.
    [[nodiscard]] bool is_settled() const;

    // sip::RegistrationListener
    void on_event(const std::string& account, const account::Event& event) override;

private:
    struct Entry {
        account::Account account;
        RegistrationRun run;
        std::uint64_t lookup = 0; // of the registrar's name
        std::uint32_t lookups_failed = 0;
        std::int64_t due_ms = 0; // on the boot clock; 0: nothing is
    };

    // Nothing: not yet.
    using Condition = std::function<std::optional<base::Status>(const account::Binding&)>;

    struct Wait {
        std::string account;
        Condition condition;
        Done done;
        base::Source timer;
        bool is_of_try = false; // a name that leads nowhere ends it
    };

    void restore(const std::string& name);
    void start(const std::string& name);
    void follow_address(const std::string& name);
    void on_unreachable(const std::string& name, const base::Error& error);
    void prepare(Entry& entry, const sip::Origin& origin) const;
    void perform(const std::string& name,
                 const account::Binding& binding,
                 const account::Effect& effect);
    void stepped(const std::string& name);
    void
    wait(const std::string& name, Condition condition, std::uint32_t deadline_ms, const Done& done);
    void set_due(Entry& entry, std::int64_t boot_ms);
    void arm_timer();
    void serve_due();
    [[nodiscard]] Entry& entry(const std::string& name);

    journal::Store* store_;
    sip::Agent* agent_ = nullptr;
    std::map<std::string, Entry> entries_;
    std::vector<std::string> order_; // of the configuration
    std::string chosen_;
    std::multimap<std::int64_t, std::string> due_; // by instant; one timer for all
    base::Source timer_;
    std::list<Wait> waits_;
};

} // namespace revenant::app
