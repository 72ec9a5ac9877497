#include "revenant/sip/agent.hpp"

#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "sip/comeback/held_sockets.hpp"
#include "sip/core.hpp"
#include "sip/legs.hpp"
#include "sip/questions.hpp"
#include "sip/sofia/library_thread.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/stack.hpp"

namespace revenant::sip {

namespace {

// The library's own diagnostics become ours, below everything else.
void log_line(void* /*stream*/, const char* format, va_list arguments) {
    std::array<char, 1024> line{};
    static_cast<void>(std::vsnprintf(line.data(), line.size(), format, arguments));
    base::log(base::Level::debug, std::string{"sofia: "} + line.data());
}

class AgentImpl final : public Agent, private StackUser {
public:
    AgentImpl(Settings settings, CallListener& calls)
        : core_{std::move(settings)}, legs_{core_, calls}, questions_{core_} {}

    [[nodiscard]] base::Status open() { return core_.open(*this); }

    [[nodiscard]] CallUsage& calls() override { return legs_; }

    [[nodiscard]] base::Status ask_options(std::string_view target, Answered done) override {
        return questions_.ask(target, std::move(done));
    }

    [[nodiscard]] base::Result<Origin> origin_for(std::string_view target) const override {
        return core_.origin_for(target);
    }

    [[nodiscard]] std::uint64_t locate(std::string_view target, Located located) override {
        return core_.locate(target, std::move(located));
    }

    void give_up(std::uint64_t lookup) override { core_.give_up(lookup); }

    [[nodiscard]] std::vector<int> sockets() const override { return held_sockets::bound(); }

    void add_credentials(Credentials credentials) override {
        core_.add_credentials(std::move(credentials));
    }

    void shut_down(std::function<void()> done) override {
        legs_.let_all_go();
        core_.shut_down(std::move(done));
    }

private:
    // Which usage a stranger's request is for; the rest is refused with the handle.
    void on_request(Stack& stack, Handle& fresh, const Raw& raw) override {
        if (raw.event == nua_i_invite && raw.sip != nullptr) {
            legs_.on_new_invite(stack, fresh, raw);
        } else if (raw.event == nua_i_info) {
            nua_respond(fresh.get(), 481, "Call Does Not Exist", NUTAG_WITH(raw.message),
                        TAG_END());
        }
    }

    void on_stray_answer(Stack& stack, const sip_t& sip, bool is_ours) override {
        legs_.on_stray_answer(stack, sip, is_ours);
    }

    // The usages go first: their handles belong to the Core's stacks.
    Core core_;
    Legs legs_;
    Questions questions_;
};

} // namespace

base::Result<std::unique_ptr<Agent>> Agent::create(const Settings& settings, CallListener& calls) {
    claim_library_thread();
    static bool initialised = false;
    if (!initialised) {
        initialised = true;
        su_log_redirect(nullptr, log_line, nullptr);
        su_init();
        su_log_set_level(nullptr, base::log_enabled(base::Level::debug) ? 3 : 0);
    }
    auto agent = std::make_unique<AgentImpl>(settings, calls);
    if (base::Status opened = agent->open(); !opened) {
        return base::fail(opened.error());
    }
    return agent;
}

void offer_held_sockets(std::vector<base::Fd> sockets, bool wait) {
    held_sockets::offer(std::move(sockets));
    if (wait) {
        held_sockets::delay_reading();
    }
}

} // namespace revenant::sip
