// What every usage stands on: who we are, the stacks, and from where we reach whom.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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

    [[nodiscard]] const Credentials* credentials_for(const std::string& realm) const;
    void add_credentials(Credentials credentials);

    // The one that listens there; null if none does.
    [[nodiscard]] Stack* stack_at(const call::Endpoint& local, call::Transport transport) const;
    // Our Contact header field value.
    [[nodiscard]] std::string contact_for(const call::Endpoint& local,
                                          call::Transport transport) const;
    // Above what the stack gives the next request by itself, in a dialog that the peer has begun.
    [[nodiscard]] std::uint32_t cseq_bound();

    [[nodiscard]] std::uint64_t new_ticket() { return ++last_ticket_; }

    // As in Agent.
    [[nodiscard]] base::Result<Origin> origin_for(std::string_view target) const;
    [[nodiscard]] std::uint64_t locate(std::string_view target, Agent::Located located);

    void give_up(std::uint64_t lookup) { lookups_.erase(lookup); }

private:
    void abandon_stacks();
    [[nodiscard]] base::Result<Uri> next_hop(const Uri& target) const;
    [[nodiscard]] base::Result<Origin>
    origin_at(const Uri& target, const Uri& hop, const std::vector<Locate::Place>& places) const;

    Settings settings_;
    Uri aor_;
    Root root_;
    std::vector<std::unique_ptr<Stack>> stacks_;
    std::uint64_t last_ticket_ = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<Locate>> lookups_; // by ticket
    std::uint32_t clock_cseqs_ = 0;
};

} // namespace revenant::sip
