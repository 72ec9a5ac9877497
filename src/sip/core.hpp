// What every usage stands on: who we are, the stacks, and from where we reach whom.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/agent.hpp"
#include "revenant/sip/settings.hpp"
#include "sip/sofia/locate.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

// Who a request is from, and by which way it goes out.
struct Identity {
    std::string account = {}; // its name; empty: who we are without one
    Uri aor = {};
    std::string display_name = {};
    std::string outbound_proxy = {};               // a URI, or empty
    std::optional<call::Transport> transport = {}; // to the proxy; nothing: as the URI says
    std::vector<std::string> service_route = {};   // as its registrar has said (RFC 3608)
    std::string gruu = {};                         // a URI (RFC 5627); empty: none
};

class Core {
public:
    explicit Core(Settings settings);
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;
    ~Core();

    // As Agent::create. `user` must outlive the Core.
    [[nodiscard]] base::Status open(StackUser& user);
    // As Agent::shut_down.
    void shut_down(std::function<void()> done);

    [[nodiscard]] const Settings& settings() const { return settings_; }

    // The account's own first, then everybody's; null: there are none.
    [[nodiscard]] const Credentials* credentials_for(std::string_view account,
                                                     const std::string& realm) const;
    // As in Agent.
    base::Result<Credentials> add_credentials(Credentials credentials);

    // The account has been asked for credentials that it has not, or that were refused.
    void note_unanswered(std::string account, std::string realm);

    // The one that listens there; null if none does.
    [[nodiscard]] Stack* stack_at(const call::Endpoint& local, call::Transport transport) const;
    // Our own address there: a URI.
    [[nodiscard]] static std::string
    address_of(const Identity& identity, const call::Endpoint& local, call::Transport transport);
    // Our Contact header field value.
    [[nodiscard]] static std::string
    contact_for(const Identity& identity, const call::Endpoint& local, call::Transport transport);

    // Of that name; who we are without one, if there is none.
    [[nodiscard]] const Identity& identity(std::string_view account) const;
    [[nodiscard]] Identity* find_identity(std::string_view account);
    // Whom a request from outside is for: by its To, else by its Request-URI.
    [[nodiscard]] const Identity& identity_asked_by(const sip_t& request) const;
    // Who has sent a request of ours that this answers: by its From.
    [[nodiscard]] const Identity& identity_answered_by(const sip_t& response) const;
    // The account that has sent it, or that it answers: its call's, else by its From.
    [[nodiscard]] std::string account_of(const sip_t& message) const;
    // Above what the stack gives the next request by itself, in a dialog that the peer has begun.
    [[nodiscard]] std::uint32_t cseq_bound();

    [[nodiscard]] std::uint64_t new_ticket() { return ++last_ticket_; }

    // As in Agent.
    [[nodiscard]] base::Result<Origin> origin_for(std::string_view target,
                                                  const std::string& account) const;
    [[nodiscard]] std::uint64_t
    locate(std::string_view target, const std::string& account, Agent::Located located);

    void give_up(std::uint64_t lookup) { lookups_.erase(lookup); }

private:
    void abandon_stacks();
    [[nodiscard]] base::Status open_identities();
    [[nodiscard]] const Identity* account_at(const url_t& aor) const;
    [[nodiscard]] base::Result<Origin> origin_at(const Identity& identity,
                                                 const Uri& target,
                                                 const Uri& hop,
                                                 const std::vector<Locate::Place>& places) const;

    struct Unanswered {
        std::string account;
        std::string realm;
    };

    Settings settings_;
    std::optional<Unanswered> unanswered_; // the last challenge
    std::vector<Identity> identities_; // without an account first, then in the order of Settings
    Root root_;
    std::vector<std::unique_ptr<Stack>> stacks_;
    std::uint64_t last_ticket_ = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<Locate>> lookups_; // by ticket
    std::uint32_t clock_cseqs_ = 0;
};

} // namespace revenant::sip
