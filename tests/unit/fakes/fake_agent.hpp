// An Agent that sends nothing and writes down what it was told, in order.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/overloaded.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/variant.hpp"
#include "revenant/call/effect.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::sip {

class FakeAgent final : public Agent, private CallUsage {
public:
    std::vector<std::string> said; // "SendInvite 1", "Respond 1 180", …
    bool reachable = true;
    std::function<void()> queue_is_read; // to be called as the stack would
    // Called at each effect, before it is written down.
    std::function<void(const std::string&)> on_verb;

    // What was said since the last time.
    std::string taken() {
        std::string all;
        for (const std::string& verb : std::exchange(said, {})) {
            all += (all.empty() ? "" : ", ") + verb;
        }
        return all;
    }

    [[nodiscard]] CallUsage& calls() override { return *this; }

    [[nodiscard]] base::Result<Origin> origin_for(std::string_view target) const override {
        if (!reachable) {
            return base::fail(base::Errc::unreachable, "no listening address fits");
        }
        return Origin{.target = std::string{target},
                      .local = {.address = "127.0.0.1", .port = 5060},
                      .transport = call::Transport::udp,
                      .contact = "<sip:alice@127.0.0.1:5060>",
                      .from = "<sip:alice@127.0.0.1>"};
    }

    [[nodiscard]] std::uint64_t locate(std::string_view target, Located located) override {
        located(origin_for(target));
        return 0;
    }

    void give_up(std::uint64_t /*lookup*/) override {}

    [[nodiscard]] base::Status ask_options(std::string_view target, Answered /*done*/) override {
        note("ask_options " + std::string{target});
        return {};
    }

    void add_credentials(Credentials /*credentials*/) override {}

    [[nodiscard]] std::vector<int> sockets() const override { return {}; }

    void shut_down(std::function<void()> done) override { done(); }

private:
    void perform(const call::Call& call, const call::SipEffect& effect) override {
        namespace effects = call::effect;
        const std::string more = std::visit(
            base::Overloaded{
                [&](const effects::RepeatInvite&) {
                    return fmt::format(" above {}", call.cseq_base);
                },
                [&](const effects::Restore&) { return fmt::format(" above {}", call.cseq_base); },
                [](const effects::SendPrack& e) { return fmt::format(" {} {}", e.rseq, e.cseq); },
                [](const effects::AcknowledgeAgain& e) { return fmt::format(" {}", e.cseq); },
                [](const effects::Respond& e) { return fmt::format(" {}", e.status); },
                [](const effects::Reply& e) {
                    return fmt::format(" {}{}", e.status, e.with_sdp ? " sdp" : "");
                },
                [](const effects::SendInfo& e) { return " " + e.content_type + " " + e.body; },
                [](const auto& /*e*/) { return std::string{}; }},
            effect);
        note(fmt::format("{} {}{}", base::alternative_name(effect), call.dialog.number, more));
    }

    [[nodiscard]] bool hears_caller(const call::Dialog& /*d*/) const override { return true; }

    void retire(call::Number call) override { note(fmt::format("retire {}", call)); }

    void expect(const std::vector<std::pair<std::string, call::Number>>& /*call_ids*/) override {}

    [[nodiscard]] base::Status adopt_held_sockets(std::function<void()> read) override {
        note("adopt_held_sockets");
        queue_is_read = std::move(read);
        return {};
    }

    void note(const std::string& text) {
        if (on_verb) {
            on_verb(text);
        }
        said.push_back(text);
    }
};

} // namespace revenant::sip
