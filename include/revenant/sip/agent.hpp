// The SIP side as the rest of the program sees it: verbs on calls by number, typed events back.
// No type of the SIP library shows here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/event.hpp"

namespace revenant::sip {

struct Listen {
    call::Endpoint at;
    std::optional<call::Transport> transport; // both when not given
};

// For one realm; an empty realm fits all.
struct Credentials {
    std::string realm;
    std::string user;
    std::string password;
};

// Lines REALM:USER:PASSWORD, '#' comments. The file must be readable by its owner only.
[[nodiscard]] base::Result<std::vector<Credentials>> read_credentials(const std::string& path);

struct Settings {
    std::string aor;               // name-addr or addr-spec, ours
    std::string display_name = {}; // ours, without quotes
    std::vector<Listen> listen;
    std::string outbound_proxy; // a URI, or empty
    std::vector<Credentials> credentials;
    std::uint32_t session_expires_s = 1800; // 0: no timer asked for
};

// SIP sockets of an earlier process, for the Agent that is created next. `wait`: there are dialogs
// to restore, and nothing comes in to them before adopt_held_sockets().
void offer_held_sockets(std::vector<base::Fd> sockets, bool wait);

struct OptionsAnswer {
    std::uint16_t status = 0;
    std::string reason = {};
    bool is_local = false; // nobody has answered, or it has reached nobody
    std::string allow = {};
};

// Who is told. Everything runs on the main loop's thread; a callback may call any verb.
class Listener {
public:
    virtual ~Listener() = default;

    virtual void on_event(call::Number call, const call::Event& event) = 0;

    // Whether an INVITE may begin a call, asked before anything is done for it; else the caller
    // hears 486.
    virtual bool may_ring() = 0;

    // An INVITE that begins a call; `seed` holds all that it says. Returns the number that the call
    // gets, after which event::Invited follows; nothing when there can be no call, which the peer
    // then hears as 503.
    virtual std::optional<call::Number> on_invite(const call::Dialog& seed) = 0;

    // A message waits for this call, which is still to be restored (Agent::expect).
    virtual void on_wanted(call::Number call) = 0;

    // The current dialog of a call that was handed to `restore`, null if there is none.
    virtual const call::Dialog* dialog(call::Number call) = 0;

    // The answer to an OPTIONS outside any call.
    virtual void on_options_answer(std::uint64_t ticket, const OptionsAnswer& answer) = 0;
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
    // is not ours). `listener` must outlive the Agent.
    [[nodiscard]] static base::Result<std::unique_ptr<Agent>> create(const Settings& settings,
                                                                     Listener& listener);
    virtual ~Agent() = default;

    // Errc::bad_input for what is no SIP URI, Errc::unreachable when no listening address can reach
    // it.
    [[nodiscard]] virtual base::Result<Origin> origin_for(std::string_view target) const = 0;
    // The same for a target that may be a name, which is looked up first: where it is decides from
    // which of our addresses it can be reached. `located` comes once: within for an address, else
    // from the main loop, 10 s later at most. Returns what `give_up` takes; 0: nothing to give up.
    using Located = std::function<void(const base::Result<Origin>&)>;
    [[nodiscard]] virtual std::uint64_t locate(std::string_view target, Located located) = 0;
    virtual void give_up(std::uint64_t lookup) = 0;

    // Our first CSeq in a dialog that we begin.
    static constexpr std::uint32_t first_cseq = 2;

    // With the CSeq in_flight.cseq, and a branch that depends on the dialog and the CSeq alone.
    virtual void send_invite(const call::Dialog& dialog) = 0;
    // The same INVITE, in another process: a retransmission, which leaves when no answer to the one
    // before comes. Other requests begin above `cseq_base`.
    virtual void repeat_invite(const call::Dialog& dialog, std::uint32_t cseq_base) = 0;
    // For a reliable response to our INVITE (RFC 3262), with a branch as the INVITE's.
    virtual void send_prack(const call::Dialog& dialog, const call::effect::SendPrack& prack) = 0;
    // ACK to the peer's 2xx, wherever the dialog's requests go; ends the quarantine if there is
    // one.
    virtual void acknowledge(const call::Dialog& dialog) = 0;
    virtual void acknowledge_stand_in(const call::Dialog& dialog) = 0;
    // ACK to the 2xx to an INVITE of an earlier process.
    virtual void acknowledge_again(const call::Dialog& dialog, std::uint32_t cseq) = 0;
    // To the INVITE; a 2xx ends the quarantine if there is one.
    virtual void respond(const call::Dialog& dialog, std::uint16_t status) = 0;
    // To the re-INVITE, UPDATE, INFO or BYE whose event is being delivered now.
    virtual void respond_now(const call::Dialog& dialog, std::uint16_t status, bool with_sdp) = 0;
    virtual void send_cancel(const call::Dialog& dialog) = 0;
    virtual void send_bye(const call::Dialog& dialog) = 0;
    virtual void reoffer(const call::Dialog& dialog) = 0;
    // What the stack says when it refreshes the session by itself.
    virtual void describe(const call::Dialog& dialog) = 0;
    virtual void send_info(const call::Dialog& dialog,
                           const std::string& content_type,
                           const std::string& body) = 0;
    virtual void send_options(const call::Dialog& dialog) = 0;
    virtual void authenticate(const call::Dialog& dialog) = 0;

    // Rebuilds the dialog in the stack through the stand-in: its CSeqs start above `cseq_base`.
    // event::Ready follows, or event::Terminated.
    virtual void restore(const call::Dialog& dialog, std::uint32_t cseq_base) = 0;
    // Before adopt_held_sockets: whether a response to the stored INVITE would find the caller. Not
    // over a connection that is gone.
    [[nodiscard]] virtual bool hears_caller(const call::Dialog& dialog) const = 0;
    // Lets in_flight.invite come in again, into the restored dialog, from where it came then:
    // event::Offered follows, or event::Terminated. Over a connection it comes with that, after
    // adopt_held_sockets.
    virtual void replay(const call::Dialog& dialog) = 0;
    // Then in_flight.prack, when what was said to the INVITE has left.
    virtual void replay_prack(const call::Dialog& dialog) = 0;
    virtual void arm(const call::Dialog& dialog) = 0;
    virtual void lift(const call::Dialog& dialog) = 0;
    // Destroys the dialog in the stack without a word to the peer.
    virtual void dispose(const call::Dialog& dialog) = 0;
    // Forgets a call that is over. Safe from within its event.
    virtual void retire(call::Number call) = 0;

    // The UDP sockets and TCP listeners that this Agent has bound, to be kept by somebody who
    // outlives the process. They stay the Agent's.
    [[nodiscard]] virtual std::vector<int> sockets() const = 0;
    // The dialogs that are going to be restored: what comes in for one of them before that waits
    // for it. Everything else is read from now on.
    virtual void expect(const std::vector<std::pair<std::string, call::Number>>& call_ids) = 0;
    // When all dialogs are restored: reads on from where the earlier process was stopped.
    [[nodiscard]] virtual base::Status adopt_held_sockets() = 0;

    // OPTIONS outside a call; the answer comes with the ticket.
    [[nodiscard]] virtual base::Result<std::uint64_t> ask_options(std::string_view target) = 0;

    // Credentials added while running (the `key` command).
    virtual void add_credentials(Credentials credentials) = 0;

    // Ends the stack; `done` is called once, after which the Agent may be destroyed. Calls should
    // be over by then: those that are not get a BYE.
    virtual void shut_down(std::function<void()> done) = 0;
};

} // namespace revenant::sip
