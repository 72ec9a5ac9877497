// The SIP side as the rest of the program sees it: where it listens, from where it reaches others,
// and a usage for each purpose: calls, and questions outside of calls. No type of the SIP library
// shows here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/calls.hpp"
#include "revenant/sip/settings.hpp"

namespace revenant::sip {

// SIP sockets of an earlier process, for the Agent that is created next. `wait`: there are dialogs
// to restore, and nothing comes in to them before adopt_held_sockets().
void offer_held_sockets(std::vector<base::Fd> sockets, bool wait);

struct OptionsAnswer {
    std::uint16_t status = 0;
    std::string reason = {};
    bool is_local = false; // nobody has answered, or it has reached nobody
    std::string allow = {};
};

// Where a call to `target` would come from.
struct Origin {
    std::string target;   // the URI, made whole ("sip:" added where missing)
    call::Endpoint local; // SIP address and port
    call::Transport transport = call::Transport::udp;
    std::string contact; // our Contact header field value
    std::string from;    // our From name-addr, without tag
};

class Agent {
public:
    // Binds every address of `settings.listen` (Errc::in_use, Errc::not_found for an address that
    // is not ours). `calls` must outlive the Agent.
    [[nodiscard]] static base::Result<std::unique_ptr<Agent>> create(const Settings& settings,
                                                                     CallListener& calls);
    virtual ~Agent() = default;

    [[nodiscard]] virtual CallUsage& calls() = 0;

    // OPTIONS outside a call (RFC 3261 §11); `done` is called once, from the main loop. A failure
    // is returned when there is nothing to send it to, and `done` is not called then.
    using Answered = std::function<void(const OptionsAnswer&)>;
    [[nodiscard]] virtual base::Status ask_options(std::string_view target, Answered done) = 0;

    // Errc::bad_input for what is no SIP URI, Errc::unreachable when no listening address can reach
    // it.
    [[nodiscard]] virtual base::Result<Origin> origin_for(std::string_view target) const = 0;
    // The same for a target that may be a name, which is looked up first: where it is decides from
    // which of our addresses it can be reached. `located` comes once: within for an address, else
    // from the main loop, 10 s later at most. Returns what `give_up` takes; 0: nothing to give up.
    using Located = std::function<void(const base::Result<Origin>&)>;
    [[nodiscard]] virtual std::uint64_t locate(std::string_view target, Located located) = 0;
    virtual void give_up(std::uint64_t lookup) = 0;

    // The UDP sockets and TCP listeners that this Agent has bound, to be kept by somebody who
    // outlives the process. They stay the Agent's.
    [[nodiscard]] virtual std::vector<int> sockets() const = 0;

    // Credentials added while running (the `key` command).
    virtual void add_credentials(Credentials credentials) = 0;

    // Ends the stack; `done` is called once, after which the Agent may be destroyed. Calls should
    // be over by then: those that are not get a BYE.
    virtual void shut_down(std::function<void()> done) = 0;
};

} // namespace revenant::sip
