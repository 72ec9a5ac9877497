// Registrations as the SIP side has them: what they are to say comes as effects, what they hear
// goes back as events. No type of the SIP library shows here.
#pragma once

#include <string>

#include "revenant/account/effect.hpp"
#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"

namespace revenant::sip {

// Who is told. Everything runs on the main loop's thread.
class RegistrationListener {
public:
    virtual ~RegistrationListener() = default;

    virtual void on_event(const std::string& account, const account::Event& event) = 0;
};

class RegistrationUsage {
public:
    virtual ~RegistrationUsage() = default;

    // Replaces who was told before; it must outlive the Agent.
    virtual void tell(RegistrationListener& listener) = 0;

    // A REGISTER as the record has it (RFC 3261 §10.2). An answer, or that there is none, comes as
    // event::Answered, from the main loop, unless abandon() or another send() comes first.
    virtual void send(const account::Registration& record, const account::effect::Send& what) = 0;
    // The answer to what was sent is not waited for.
    virtual void abandon(const std::string& account) = 0;

    // Whether there is a listener where the record says that we listen.
    [[nodiscard]] virtual bool listens(const account::Registration& record) const = 0;
    // Whether what the registrar sends us still arrives where it believes us to be: not over a
    // connection that is gone.
    [[nodiscard]] virtual bool has_flow(const account::Registration& record) const = 0;

    // What the registrar has said of the way that this account's calls go from now on.
    virtual void learn(const account::Registration& record) = 0;
};

} // namespace revenant::sip
