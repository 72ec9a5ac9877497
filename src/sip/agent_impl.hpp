// The Agent's insides, shared by agent.cpp (who and where) and call_requests.cpp (what is said).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "revenant/base/clock.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/agent.hpp"
#include "sip/comeback/early_reader.hpp"
#include "sip/comeback/stand_in.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/locate.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/outgoing_watch.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

class AgentImpl final : public Agent, private StackUser {
public:
    AgentImpl(Settings settings, Listener& listener);
    AgentImpl(const AgentImpl&) = delete;
    AgentImpl& operator=(const AgentImpl&) = delete;
    ~AgentImpl() override;

    [[nodiscard]] base::Status open();

    [[nodiscard]] base::Result<Origin> origin_for(std::string_view target) const override;
    [[nodiscard]] std::uint64_t locate(std::string_view target, Located located) override;
    void give_up(std::uint64_t lookup) override;
    void send_invite(const call::Dialog& dialog) override;
    void repeat_invite(const call::Dialog& dialog, std::uint32_t cseq_base) override;
    void send_prack(const call::Dialog& dialog, const call::effect::SendPrack& prack) override;
    void acknowledge(const call::Dialog& dialog) override;
    void acknowledge_stand_in(const call::Dialog& dialog) override;
    void acknowledge_again(const call::Dialog& dialog, std::uint32_t cseq) override;
    void respond(const call::Dialog& dialog, std::uint16_t status) override;
    void respond_now(const call::Dialog& dialog, std::uint16_t status, bool with_sdp) override;
    void send_cancel(const call::Dialog& dialog) override;
    void send_bye(const call::Dialog& dialog) override;
    void reoffer(const call::Dialog& dialog) override;
    void describe(const call::Dialog& dialog) override;
    void send_info(const call::Dialog& dialog,
                   const std::string& content_type,
                   const std::string& body) override;
    void send_options(const call::Dialog& dialog) override;
    void authenticate(const call::Dialog& dialog) override;
    void restore(const call::Dialog& dialog, std::uint32_t cseq_base) override;
    [[nodiscard]] bool hears_caller(const call::Dialog& dialog) const override;
    void replay(const call::Dialog& dialog) override;
    void replay_prack(const call::Dialog& dialog) override;
    void arm(const call::Dialog& dialog) override;
    void lift(const call::Dialog& dialog) override;
    void dispose(const call::Dialog& dialog) override;
    void retire(call::Number call) override;
    [[nodiscard]] std::vector<int> sockets() const override;
    void expect(const std::vector<std::pair<std::string, call::Number>>& call_ids) override;
    [[nodiscard]] base::Status adopt_held_sockets() override;
    [[nodiscard]] base::Result<std::uint64_t> ask_options(std::string_view target) override;
    void add_credentials(Credentials credentials) override;
    void shut_down(std::function<void()> done) override;

private:
    void on_leg_event(Leg& leg, const Raw& raw) override;
    void on_new_invite(Stack& stack, Handle& fresh, const Raw& raw) override;
    void on_options_done(nua_handle_t* handle, const Raw& raw) override;
    void on_stray_answer(Stack& stack, const sip_t& sip, bool is_ours) override;
    void answered_by_another(call::Number call, const sip_t& sip);
    void on_cancel(std::string_view call_id);
    void on_prack(std::string_view call_id, const std::string& prack);
    void on_refusal(const OutgoingWatch::Refusal& refusal);
    void on_invite_leaving(const OutgoingWatch::Invite& invite);

    [[nodiscard]] base::Result<Uri> next_hop(const Uri& target) const;
    [[nodiscard]] base::Result<Origin>
    origin_at(const Uri& target, const Uri& hop, const std::vector<Locate::Place>& places) const;
    void send_options(const Origin& origin, std::uint64_t ticket);
    [[nodiscard]] const call::Dialog* dialog_of(std::string_view call_id,
                                                std::string_view tag) const;
    [[nodiscard]] call::Endpoint last_heard(std::string_view call_id, std::string_view tag) const;
    [[nodiscard]] Leg* leg(call::Number number);
    [[nodiscard]] Leg& make_leg(Stack& stack, const call::Dialog& dialog);
    [[nodiscard]] Stack* stack_for(const call::Dialog& dialog);
    [[nodiscard]] std::string contact_for(const call::Endpoint& local,
                                          call::Transport transport) const;
    [[nodiscard]] base::Result<std::string> stand_in_url(const Stack& stack);
    [[nodiscard]] std::uint32_t stack_cseq_bound();
    static void note_invite(Leg& leg, const Raw& raw);
    void answered_at_last(Leg& leg, const Raw& raw);
    void give_up(call::Number call, bool until_answered);
    void destroy_soon(const Leg& leg);
    void destroy_soon(std::unique_ptr<Leg> leg);
    static void note_own_end(Leg& leg, const Raw& raw);
    void note_final_answer(Leg& leg, const Raw& raw, const call::Event& event);
    [[nodiscard]] const Credentials* credentials_for(const std::string& realm) const;
    void report_terminated(call::Number number, std::string why);
    void abandon_stacks();
    void release(call::Number number);
    void end_overdue_replays();
    void has_come(const std::string& call_id);
    [[nodiscard]] bool is_awaited(std::string_view call_id);

    Settings settings_;
    Listener* listener_;
    std::string stand_in_name_;
    Uri aor_;
    Root root_;
    std::vector<std::unique_ptr<Stack>> stacks_;
    std::array<std::unique_ptr<StandIn>, 2> stand_ins_; // IPv4, IPv6; opened when first needed
    std::unordered_map<call::Number, std::unique_ptr<Leg>> legs_;
    // Calls that we have made, or restored, by Call-ID and our tag.
    std::unordered_map<std::string, call::Number> legs_by_key_;

    struct Awaited {
        call::Number call = 0;
        bool is_wanted = false; // a message for it has come
    };

    std::unordered_map<std::string, Awaited> awaited_; // by Call-ID: dialogs that are not there yet
    std::optional<EarlyReader> early_reader_;
    std::unordered_map<std::string, call::Number> ringing_; // not answered by us; by Call-ID
    // Of calls that are over while a re-INVITE of ours has no answer, which may still want an ACK:
    // without its handle the stack says it again and again, and knows nothing of the answer.
    std::vector<std::unique_ptr<Leg>> lingering_;
    std::vector<std::unique_ptr<Leg>> retired_;
    std::unordered_map<nua_handle_t*, std::pair<std::uint64_t, Handle>> options_;
    std::uint64_t last_ticket_ = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<Locate>> lookups_; // by ticket
    std::uint32_t clock_cseqs_ = 0;
    const Raw* being_handled_ = nullptr; // during one callback
    base::Source sweep_;
    std::vector<base::Source> reports_;
    std::unordered_map<call::Number, base::Source> releases_; // of INVITEs held back
    base::Source overdue_;
};

} // namespace revenant::sip
