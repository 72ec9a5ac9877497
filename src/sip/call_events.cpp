// What calls hear: translated, and passed on to the CallListener.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/event.hpp"
#include "sip/core.hpp"
#include "sip/interpose/under_way.hpp"
#include "sip/legs.hpp"
#include "sip/sofia/cseq_numbers.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/forks.hpp"
#include "sip/sofia/kept_request.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/outgoing_watch.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/transactions.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

constexpr const char* retry_after_s = "30"; // with 486: by then some of what rings is over

// The final answer to an INVITE after our BYE. The stack has moved the session from the one to the
// other, and takes the end of an INVITE without a session for the end of the call. Only these are
// one, with the BYE lost.
bool is_overtaken(const Leg& leg, const Raw& raw) {
    return leg.has_said_bye && raw.event == nua_r_invite && raw.status >= 200 &&
           raw.status != 404 && raw.status != 410 && raw.status != 481;
}

// The event takes it along until it is answered.
void keep_request(call::Event& event, msg_t* message) {
    std::visit(
        [&](auto& e) {
            if constexpr (requires { e.request; }) {
                e.request = kept_request(message);
            }
        },
        event);
}

} // namespace

void Legs::on_leg_event(Leg& leg, const Raw& raw) {
    // The number is copied: the handler may retire the leg (which only marks it).
    const call::Number number = leg.number();
    note_invite(leg, raw);
    if (this->leg(number) != &leg) { // the call is over, or goes on with another leg
        if (!leg.is_inviting && leg.last) {
            answered_at_last(leg, raw);
        }
        return;
    }
    if (std::exchange(leg.is_overtaken, is_overtaken(leg, raw)) && raw.event == nua_i_state) {
        return;
    }
    const bool is_replayed = leg.is_replaying && raw.event == nua_i_invite;
    if (is_replayed) {
        leg.is_replaying = false;
        if (raw.status >= 300) { // the stack has refused it by itself
            report_terminated(number, text_of(raw.phrase));
            return;
        }
    }
    if (raw.event == nua_r_invite && !leg.held_back.empty()) {
        outgoing_watch::let_go(leg.held_back, false); // it has reached the other end before
        leg.held_back.clear();
    }
    note_own_end(leg, raw);
    auto event = decode(raw, stand_in_name_, core_->settings().session_expires_s);
    if (!event) {
        return;
    }
    if (auto* challenged = std::get_if<call::event::Challenged>(&*event)) {
        leg.realm = challenged->realm;
        challenged->have_credentials = core_->credentials_for(leg.realm) != nullptr;
    }
    if (const auto* offered = std::get_if<call::event::Offered>(&*event); is_replayed && offered) {
        leg.must_offer = !offered->offer;
    }
    if (auto* progress = std::get_if<call::event::Progress>(&*event); progress && progress->rseq) {
        progress->prack_cseq = cseq_numbers::reserve(leg.key);
    }
    if (auto* ended = std::get_if<call::event::Terminated>(&*event);
        ended != nullptr && leg.end_status != 0) {
        *ended = {.status = leg.end_status, .reason = leg.end_reason};
    }
    keep_request(*event, raw.message);
    listener_->on_event(number, *event);
    if (early_reader_ && std::holds_alternative<call::event::Ready>(*event)) {
        const call::Dialog* dialog = listener_->dialog(number);
        if (dialog != nullptr && dialog->in_flight.invite.empty()) { // else its INVITE comes first
            has_come(dialog->call_id);
        }
    }
}

void Legs::answered_at_last(Leg& leg, const Raw& raw) {
    const bool is_accepted = raw.event == nua_r_invite && raw.status >= 200 && raw.status < 300;
    // After our BYE the stack acknowledges it with the end of the handle, after the peer's it does
    // not.
    if (is_accepted && !leg.has_said_bye && raw.sip != nullptr && !is_from_any_stand_in(*raw.sip)) {
        sip::acknowledge_again(leg.stack().agent(), *leg.last, raw.sip->sip_cseq->cs_seq);
    }
    leg.last.reset();
    destroy_soon(leg);
}

void Legs::note_invite(Leg& leg, const Raw& raw) {
    if (raw.event == nua_i_state && says_calling(raw)) { // a refresh of the stack's, or a retry
        leg.is_inviting = true;
    }
    if (raw.event == nua_r_invite && raw.status >= 200) {
        leg.is_inviting = false;
        if (raw.status < 300 && raw.sip != nullptr) {
            leg.accepted_cseq = raw.sip->sip_cseq->cs_seq;
            leg.accepted_tag = text_of(raw.sip->sip_to->a_tag);
        }
    }
}

void Legs::note_own_end(Leg& leg, const Raw& raw) {
    int state = -1;
    if (raw.event == nua_i_state) {
        tl_gets(raw.tags, NUTAG_CALLSTATE_REF(state), TAG_END());
    } else if (raw.event == nua_i_error &&
               raw.status == 408) { // before the state, which has no status
        leg.end_status = 408;
        leg.end_reason = base::printable(text_of(raw.phrase), 200);
    }
    if (state == nua_callstate_terminating && raw.status >= 300 && raw.status < 700 &&
        raw.status != 487) { // 487: "BYE sent"
        leg.end_status = static_cast<std::uint16_t>(raw.status);
        leg.end_reason = base::printable(text_of(raw.phrase), 200);
    }
}

void Legs::on_new_invite(Stack& stack, Handle& fresh, const Raw& raw) {
    if (!listener_->may_ring()) {
        // 503 would make proxies leave us out for a while, and try others that we have not got (RFC
        // 3261 §21.5.4, RFC 3263 §4.3). This is what it is, a busy user.
        nua_respond(fresh.get(), SIP_486_BUSY_HERE, SIPTAG_RETRY_AFTER_STR(retry_after_s),
                    TAG_END());
        return;
    }
    std::optional<call::Dialog> decoded = decode_invite(raw, core_->settings().session_expires_s);
    if (!decoded) {
        nua_respond(fresh.get(), SIP_400_BAD_REQUEST, TAG_END());
        return;
    }
    call::Dialog& seed = *decoded;
    const Home home = make_home();
    // Our tag exists from the moment that the stack has taken the request in, before any response.
    const sip_replaces_t* identity = nua_handle_make_replaces(fresh.get(), home.get(), 0);
    if (identity != nullptr) {
        seed.local_tag = text_of(identity->rp_from_tag);
    }
    seed.local_sip = {.address = stack.local_address(seed.remote_sip.address),
                      .port = stack.listen().at.port};
    seed.local_contact = core_->contact_for(seed.local_sip, seed.transport);
    seed.outbound_proxy = core_->settings().outbound_proxy;
    seed.cseq_watermark = core_->cseq_bound();
    seed.in_flight.invite = whole_text(raw.message);
    const bool complete = !seed.in_flight.invite.empty() && !seed.local_tag.empty() &&
                          !seed.remote_tag.empty() && !seed.remote_target.empty() &&
                          !seed.call_id.empty() && !seed.local_sip.address.empty();
    const auto number = complete ? listener_->on_invite(seed) : std::nullopt;
    if (!number) {
        nua_respond(fresh.get(), complete ? 503 : 400,
                    complete ? "Service Unavailable" : "Bad Request", TAG_END());
        return; // the handle goes after its response: signals run in order
    }
    auto& slot = legs_[*number];
    slot = std::make_unique<Leg>(*this, stack, std::move(fresh), *number);
    slot->contact = seed.local_contact;
    slot->call_id = seed.call_id;
    ringing_[seed.call_id] = *number;
    nua_set_hparams(slot->handle(), NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(0), TAG_END());
    auto offer = decode(raw, stand_in_name_, core_->settings().session_expires_s);
    auto* offered = offer ? std::get_if<call::event::Offered>(&*offer) : nullptr;
    slot->must_offer = offered == nullptr || !offered->offer;
    listener_->on_event(
        *number,
        call::event::Invited{.offer = offered != nullptr ? std::move(offered->offer) : std::nullopt,
                             .expires_s = expires_of(*raw.sip)});
}

void Legs::on_stray_answer(Stack& stack, const sip_t& sip, bool is_ours) {
    if (sip.sip_call_id == nullptr || sip.sip_from == nullptr || sip.sip_to == nullptr ||
        is_from_any_stand_in(sip)) {
        return;
    }
    const auto found =
        legs_by_key_.find(leg_key(text_of(sip.sip_call_id->i_id), text_of(sip.sip_from->a_tag)));
    Leg* leg = found != legs_by_key_.end() ? this->leg(found->second) : nullptr;
    const call::Dialog* dialog = leg != nullptr ? listener_->dialog(leg->number()) : nullptr;
    const bool is_before = leg != nullptr && sip.sip_cseq->cs_seq <= leg->cseq_base;
    const std::string tag = text_of(sip.sip_to->a_tag);
    if (dialog == nullptr || !(is_before || is_ours)) {
        if (is_ours) { // and the call is over
            end_other_answer(stack.agent(), sip, core_->settings().outbound_proxy);
        }
    } else if (dialog->phase == call::Phase::inviting && !dialog->in_flight.canceled &&
               leg->accepted_tag.empty()) {
        leg->accepted_tag = tag;
        answered_by_another(leg->number(), sip);
    } else if (dialog->phase == call::Phase::inviting && leg->accepted_tag == tag) {
        // Said again while the first is being stored: its ACK follows.
    } else if (dialog->phase != call::Phase::inviting && dialog->remote_tag == tag) {
        listener_->on_event(leg->number(),
                            call::event::AnsweredBefore{.cseq = sip.sip_cseq->cs_seq});
    } else {
        end_other_answer(stack.agent(), sip, dialog->outbound_proxy);
    }
}

void Legs::answered_by_another(call::Number call, const sip_t& sip) {
    auto event = decode({.event = nua_r_invite,
                         .status = sip.sip_status->st_status,
                         .phrase = sip.sip_status->st_phrase,
                         .sip = &sip},
                        stand_in_name_, core_->settings().session_expires_s);
    if (auto* answered = event ? std::get_if<call::event::Answered>(&*event) : nullptr) {
        answered->by_another = true;
        listener_->on_event(call, *event);
    }
}

void Legs::on_cancel(std::string_view call_id, const call::HeldRef& held) {
    if (const auto found = ringing_.find(std::string{call_id}); found != ringing_.end()) {
        listener_->on_event(found->second, call::event::Cancelled{.held = held});
    }
}

void Legs::on_prack(std::string_view call_id, const std::string& prack, const call::HeldRef& held) {
    const auto is_of_call = [&](const auto& entry) { return entry.second->call_id == call_id; };
    const auto found = std::ranges::find_if(legs_, is_of_call);
    if (found != legs_.end()) {
        listener_->on_event(found->first, call::event::PeerPrack{.text = prack, .held = held});
    }
}

void Legs::on_invite_leaving(const outgoing_watch::Invite& invite, const call::HeldRef& held) {
    const auto found = legs_by_key_.find(leg_key(invite.call_id, invite.local_tag));
    if (found != legs_by_key_.end()) {
        listener_->on_event(found->second, call::event::Directed{.to = {.address = invite.to.host(),
                                                                        .port = invite.to.port()},
                                                                 .held = held});
    }
}

void Legs::on_refusal(const outgoing_watch::Refusal& refusal, const call::HeldRef& held) {
    const auto found = legs_by_key_.find(leg_key(refusal.call_id, refusal.local_tag));
    if (found == legs_by_key_.end()) {
        return;
    }
    const std::uint32_t next_cseq = cseq_numbers::next(found->first);
    Leg* leg = this->leg(found->second);
    if (leg != nullptr && !leg->reported.empty()) { // another try is led by the name anew
        outgoing_watch::report_no_more(leg->reported);
        leg->reported =
            invite_branch(refusal.local_tag, next_cseq != 0 ? next_cseq : refusal.cseq + 1);
        outgoing_watch::report(leg->reported);
    }
    listener_->on_event(found->second, call::event::Refused{.status = refusal.status,
                                                            .cseq = refusal.cseq,
                                                            .next_cseq = next_cseq,
                                                            .held = held});
}

} // namespace revenant::sip
