// An Agent that sends nothing and writes down what it was told, in order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::sip {

class FakeAgent final : public Agent {
public:
    std::vector<std::string> said; // "send_invite 1", "respond 1 180", …
    bool reachable = true;
    // Called at each verb, before it is written down.
    std::function<void(const std::string&)> on_verb;

    // What was said since the last time.
    std::string taken() {
        std::string all;
        for (const std::string& verb : std::exchange(said, {})) {
            all += (all.empty() ? "" : ", ") + verb;
        }
        return all;
    }

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

    void send_invite(const call::Dialog& d) override { say("send_invite", d); }

    void repeat_invite(const call::Dialog& d, std::uint32_t cseq_base) override {
        say("repeat_invite", d, fmt::format(" above {}", cseq_base));
    }

    void send_prack(const call::Dialog& d, const call::effect::SendPrack& prack) override {
        say("send_prack", d, fmt::format(" {} {}", prack.rseq, prack.cseq));
    }

    void acknowledge(const call::Dialog& d) override { say("acknowledge", d); }

    void acknowledge_stand_in(const call::Dialog& d) override { say("acknowledge_stand_in", d); }

    void acknowledge_again(const call::Dialog& d, std::uint32_t cseq) override {
        say("acknowledge_again", d, fmt::format(" {}", cseq));
    }

    void respond(const call::Dialog& d, std::uint16_t status) override {
        say("respond", d, fmt::format(" {}", status));
    }

    void respond_now(const call::Dialog& d, std::uint16_t status, bool with_sdp) override {
        say("respond_now", d, fmt::format(" {}{}", status, with_sdp ? " sdp" : ""));
    }

    void send_cancel(const call::Dialog& d) override { say("send_cancel", d); }

    void send_bye(const call::Dialog& d) override { say("send_bye", d); }

    void reoffer(const call::Dialog& d) override { say("reoffer", d); }

    void describe(const call::Dialog& d) override { say("describe", d); }

    void send_info(const call::Dialog& d,
                   const std::string& content_type,
                   const std::string& body) override {
        say("send_info", d, " " + content_type + " " + body);
    }

    void send_options(const call::Dialog& d) override { say("send_options", d); }

    void authenticate(const call::Dialog& d) override { say("authenticate", d); }

    void restore(const call::Dialog& d, std::uint32_t cseq_base) override {
        say("restore", d, fmt::format(" above {}", cseq_base));
    }

    [[nodiscard]] bool hears_caller(const call::Dialog& /*d*/) const override { return true; }

    void replay(const call::Dialog& d) override { say("replay", d); }

    void replay_prack(const call::Dialog& d) override { say("replay_prack", d); }

    void arm(const call::Dialog& d) override { say("arm", d); }

    void lift(const call::Dialog& d) override { say("lift", d); }

    void dispose(const call::Dialog& d) override { say("dispose", d); }

    void retire(call::Number call) override { note(fmt::format("retire {}", call)); }

    [[nodiscard]] base::Result<std::uint64_t> ask_options(std::string_view target) override {
        note("ask_options " + std::string{target});
        return 1;
    }

    void add_credentials(Credentials /*credentials*/) override {}

    [[nodiscard]] std::vector<int> sockets() const override { return {}; }

    void expect(const std::vector<std::pair<std::string, call::Number>>& /*call_ids*/) override {}

    [[nodiscard]] base::Status adopt_held_sockets() override {
        note("adopt_held_sockets");
        return {};
    }

    void shut_down(std::function<void()> done) override { done(); }

private:
    void say(std::string_view verb, const call::Dialog& dialog, const std::string& more = {}) {
        note(fmt::format("{} {}{}", verb, dialog.number, more));
    }

    void note(const std::string& text) {
        if (on_verb) {
            on_verb(text);
        }
        said.push_back(text);
    }
};

} // namespace revenant::sip
