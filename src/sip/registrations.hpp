// REGISTER (RFC 3261 §10), one transaction at a time for each account. By itself the library would
// refresh, retry and count as it likes; so it is used below its registrations, and all of that is
// the account machine's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "revenant/account/effect.hpp"
#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/source.hpp"
#include "revenant/sip/registrations.hpp"
#include "sip/core.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

class Registrations final : public RegistrationUsage {
public:
    explicit Registrations(Core& core); // outlives it
    Registrations(const Registrations&) = delete;
    Registrations& operator=(const Registrations&) = delete;
    ~Registrations() override;

    void tell(RegistrationListener& listener) override { listener_ = &listener; }

    void send(const account::Registration& record, const account::effect::Send& what) override;

    void abandon(const std::string& account) override;

    [[nodiscard]] bool listens(const account::Registration& record) const override;
    [[nodiscard]] bool has_flow(const account::Registration& record) const override;
    void learn(const account::Registration& record) override;

private:
    class Transaction;

    void report(const Transaction& transaction, const account::event::Answered& answer);
    void fail_later(const account::Registration& record, const std::string& why);

    Core* core_;
    RegistrationListener* listener_ = nullptr;
    std::unordered_map<std::string, std::unique_ptr<Transaction>> open_; // by account
    std::unordered_map<std::string, base::Source> failures_;             // to be told, by account
};

} // namespace revenant::sip
