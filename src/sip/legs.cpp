#include "sip/legs.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/comeback/stand_in.hpp"
#include "sip/core.hpp"
#include "sip/sofia/cseq_numbers.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/our_dialogs.hpp"
#include "sip/sofia/outgoing_watch.hpp"
#include "sip/sofia/stack.hpp"

namespace revenant::sip {

Legs::Legs(Core& core, CallListener& listener)
    : core_{&core}, listener_{&listener}, stand_in_name_{std::string{stand_in_prefix} +
                                                         base::random_token(20)} {
    using Held = outgoing_watch::Listener::Held;
    // SAFETY: all are taken back in the destructor.
    outgoing_watch::tell(
        {.before_cancel_answer = [this](std::string_view call_id,
                                        Held held) { on_cancel(call_id, held); },
         .before_prack_answer = [this](std::string_view call_id, const std::string& prack,
                                       Held held) { on_prack(call_id, prack, held); },
         .before_refusal_ack = [this](const outgoing_watch::Refusal& refusal,
                                      Held held) { on_refusal(refusal, held); },
         .before_invite = [this](const outgoing_watch::Invite& invite,
                                 Held held) { on_invite_leaving(invite, held); }});
    tell_dialogs(
        [this](std::string_view call_id, std::string_view tag) { return dialog_of(call_id, tag); });
}

Legs::~Legs() {
    outgoing_watch::tell({});
    tell_dialogs({});
}

const call::Dialog* Legs::dialog_of(std::string_view call_id, std::string_view tag) const {
    if (const auto ours = legs_by_key_.find(leg_key(call_id, tag)); ours != legs_by_key_.end()) {
        return listener_->dialog(ours->second);
    }
    for (const auto& [number, leg] : legs_) {
        const call::Dialog* dialog = listener_->dialog(number);
        if (dialog != nullptr && dialog->call_id == call_id && dialog->local_tag == tag) {
            return dialog;
        }
    }
    return nullptr;
}

Leg* Legs::leg(call::Number number) {
    const auto found = legs_.find(number);
    return found != legs_.end() ? found->second.get() : nullptr;
}

Leg& Legs::make_leg(Stack& stack, const call::Dialog& dialog) {
    auto& slot = legs_[dialog.number];
    slot = std::make_unique<Leg>(*this, stack, stack.nua(), dialog);
    slot->key = leg_key(dialog.call_id, dialog.local_tag);
    legs_by_key_[slot->key] = dialog.number;
    cseq_numbers::end(slot->key);
    return *slot;
}

base::Result<std::string> Legs::stand_in_url(const Stack& stack) {
    auto& stand_in = stand_ins_.at(stack.is_v6() ? 1 : 0);
    if (!stand_in) {
        auto opened = StandIn::open(stack.is_v6() ? AF_INET6 : AF_INET, stand_in_name_,
                                    [this](std::string_view call_id, std::string_view tag) {
                                        return dialog_of(call_id, tag);
                                    });
        if (!opened) {
            return base::fail(opened.error());
        }
        stand_in = std::move(*opened);
    }
    return stand_in->url();
}

void Legs::retire(call::Number call) {
    Leg* leg = this->leg(call);
    const call::Dialog* dialog = listener_->dialog(call);
    // An INVITE that has not made a dialog is canceled with its handle.
    const bool is_made = dialog != nullptr && dialog->phase != call::Phase::inviting;
    const bool lingers = leg != nullptr && leg->is_inviting && is_made;
    if (lingers) {
        leg->last = *dialog;
    }
    give_up(call, lingers);
}

void Legs::give_up(call::Number call, bool until_answered) {
    const auto found = legs_.find(call);
    if (found == legs_.end()) {
        return;
    }
    legs_by_key_.erase(found->second->key);
    cseq_numbers::end(found->second->key);
    outgoing_watch::let_go(found->second->held_back, false);
    outgoing_watch::report_no_more(found->second->reported);
    releases_.erase(call);
    ringing_.erase(found->second->call_id);
    std::unique_ptr<Leg> leg = std::move(found->second);
    legs_.erase(found);
    if (until_answered) {
        lingering_.push_back(std::move(leg));
    } else {
        destroy_soon(std::move(leg));
    }
}

void Legs::destroy_soon(const Leg& leg) {
    const auto is_it = [&](const std::unique_ptr<Leg>& other) { return other.get() == &leg; };
    const auto found = std::ranges::find_if(lingering_, is_it);
    if (found != lingering_.end()) {
        std::unique_ptr<Leg> last = std::move(*found);
        lingering_.erase(found);
        destroy_soon(std::move(last));
    }
}

// Not from inside the leg's own callback.
void Legs::destroy_soon(std::unique_ptr<Leg> leg) {
    retired_.push_back(std::move(leg));
    if (!sweep_) {
        // SAFETY: the source is a member and goes before `this`.
        sweep_ = base::when_idle([this] {
            sweep_.reset();
            retired_.clear();
        });
    }
}

} // namespace revenant::sip
