#include "sip/questions.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/sip/agent.hpp"
#include "sip/core.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/failures.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/stack.hpp"

namespace revenant::sip {

// The stack holds its address as the handle's magic.
class Questions::Question final : public HandleUser {
public:
    Question(Questions& all, nua_t* nua, const Origin& origin, Agent::Answered done)
        : all_{&all}, done_{std::move(done)},
          handle_{nua_handle(nua,
                             this,
                             SIPTAG_FROM_STR(origin.from.c_str()),
                             SIPTAG_TO_STR(fmt::format("<{}>", origin.target).c_str()),
                             TAG_END())} {}

    void send(const Origin& origin, const std::string& proxy) const {
        nua_options(handle_.get(), NUTAG_URL(origin.target.c_str()),
                    TAG_IF(!proxy.empty(), NUTAG_PROXY(proxy.c_str())), TAG_END());
    }

    void on_handle_event(const Raw& raw) override {
        if (raw.event != nua_r_options || raw.status < 200) {
            return;
        }
        const auto self = all_->open_.extract(this); // goes when this is done
        done_({.status = static_cast<std::uint16_t>(std::min(raw.status, 999)),
               .reason = final_reason_of(raw),
               .is_local = failures::is_local(raw.sip),
               .allow = allow_of(raw.sip)});
    }

private:
    Questions* all_; // owns this
    Agent::Answered done_;
    Handle handle_;
};

Questions::Questions(Core& core) : core_{&core} {}

Questions::~Questions() = default;

base::Status Questions::ask(std::string_view target, Agent::Answered done) {
    if (const auto uri = read_uri(target); !uri) {
        return base::fail(uri.error());
    }

    struct Start {
        bool is_over = false;
        base::Status status;
    };

    // Shared with a callback that may come after this has returned.
    const auto start = std::make_shared<Start>();
    static_cast<void>(
        core_->locate(target, [this, start, done = std::move(done)](const auto& origin) {
            if (origin) {
                send(*origin, done);
            } else if (!start->is_over) {
                start->status = base::fail(origin.error());
            } else {
                done({.status = 503, .reason = origin.error().context, .is_local = true});
            }
        }));
    start->is_over = true;
    return start->status;
}

void Questions::send(const Origin& origin, Agent::Answered done) {
    Stack* stack = core_->stack_at(origin.local, origin.transport);
    assert(stack != nullptr);               // it is where the origin is from
    static_cast<void>(core_->cseq_bound()); // a loose request takes one of the stack's
    auto question = std::make_unique<Question>(*this, stack->nua(), origin, std::move(done));
    const Question& asked = *open_.emplace(question.get(), std::move(question)).first->second;
    asked.send(origin, core_->settings().outbound_proxy);
}

} // namespace revenant::sip
