// What the peer asks for.
#include <cstdint>
#include <string>
#include <utility>

#include "call/steps.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/call/sdp.hpp"

namespace revenant::call {

namespace {

// No ringing: the first thing that is stored and said is the final answer.
void answer_at_once(Step& result, std::uint16_t status, base::Now now) {
    result.effects.emplace_back(effect::Tell{.news = News::incoming});
    if (status < 300) {
        accept(result, effect::Otherwise::report, now); // the peer waits for an answer
    } else {
        decline(result, {.status = status, .is_stored = false}); // the caller repeats its INVITE
    }
}

// RFC 3261 §12.2.2. Within one life the stack sees to it.
bool is_out_of_order(const Dialog& dialog, std::uint32_t cseq) {
    return cseq != 0 && cseq < dialog.remote_cseq;
}

Step refuse_request(const Call& call, std::uint16_t status) {
    Step result = stay(call);
    result.effects = {effect::Reply{.status = status, .with_sdp = false}};
    return result;
}

// What the peer's offer makes of the dialog; nothing: there is no answer to it.
bool take_offer(Call& call, const RemoteSession& offer) {
    Dialog& dialog = call.dialog;
    auto negotiated = answer_offer(offer, dialog.media, call.codecs, wanted(dialog.hold),
                                   dialog.media.ssrc, dialog.local_sdp);
    if (!negotiated) {
        return false;
    }
    dialog.local_sdp = std::move(negotiated->local_sdp);
    dialog.media = std::move(negotiated->media);
    dialog.remote_sdp = offer.text;
    dialog.hold.remote = peer_holds(offer, dialog.media);
    return true;
}

// As good as an answer to our re-INVITE: the peer has the call and has just used it.
void resume_by_peer(Step& result) {
    Call& next = result.call;
    next.state = State::established;
    next.dialog.phase = Phase::established;
    next.resume_deadline_ms = 0;
    result.effects.emplace_back(effect::StopRetryTimer{});
    result.effects.emplace_back(effect::Lift{});
    result.effects.emplace_back(effect::Tell{.news = News::resumed});
    settle(result, Verdict::survived, "the other end has refreshed it");
}

} // namespace

Step on(const Call& call, const event::Invited& e, base::Now now) {
    if (call.state != State::idle) {
        return stay(call);
    }
    Step result = stay(call);
    Call& next = result.call;
    next.state = State::alerting;
    next.has_offer = e.offer.has_value();
    if (e.offer) {
        next.offer = *e.offer;
        // Refuse now what no user could answer.
        const auto possible = answer_offer(*e.offer, next.dialog.media, next.codecs,
                                           Direction::sendrecv, next.dialog.media.ssrc, {});
        if (!possible) {
            result.effects = {effect::Respond{.status = 488}, effect::CloseMedia{},
                              effect::Tell{.news = News::failed,
                                           .status = 488,
                                           .detail = possible.error().context}};
            next.state = State::over;
            return result;
        }
        // A restart needs a session for the dialog before the user has answered.
        next.dialog.local_sdp = possible->local_sdp;
        next.dialog.remote_sdp = e.offer->text;
    } else {
        next.dialog.local_sdp =
            write_offer(next.dialog.media.ssrc, next.dialog.media.local, next.codecs,
                        next.dialog.media.ptime_ms, Direction::sendrecv);
    }
    next.dialog.phase = Phase::ringing;
    next.dialog.started_ms = now.real_ms();
    if (const std::uint16_t status = call.reception.auto_answer; status != 0) {
        answer_at_once(result, status, now);
        return result;
    }
    limit_ringing(next, e, now);
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::report},
                      effect::Respond{.status = 180}, effect::Tell{.news = News::incoming}};
    ring_timer(result, now);
    return result;
}

Step on(const Call& call, const event::Acked& e, base::Now /*now*/) {
    Step result = stay(call);
    result.call.offer_in_2xx = false;
    if (!e.answer || !(traits(call.state).has_dialog || call.state == State::alerting)) {
        return result;
    }
    // Our 2xx carried the offer (RFC 3261 §13.2.1), or our reliable 180; the ACK has the answer.
    if (call.state == State::alerting) { // nobody speaks yet
        if (apply(result.call, *e.answer)) {
            result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}};
        }
        return result;
    }
    if (const base::Status applied = apply(result.call, *e.answer); !applied) {
        result.call.state = State::ending;
        result.call.offer_waits = false;
        result.call.dialog.phase = Phase::ending;
        result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::SendBye{},
                          effect::CloseMedia{},
                          effect::Tell{.news = News::failed, .detail = applied.error().context}};
        return result;
    }
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on}, effect::RunMedia{}};
    return result;
}

Step on(const Call& call, const event::Cancelled& /*e*/, base::Now /*now*/) {
    if (call.state != State::alerting && call.state != State::replaying) {
        return stay(call);
    }
    Step result = stay(call);
    Call& next = result.call;
    next.state = State::refusing;
    next.dialog.phase = Phase::ending;
    next.dialog.in_flight.status = 487;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on},
                      effect::Tell{.news = News::ended, .status = 487, .detail = "remote"}};
    return result;
}

Step on(const Call& call, const event::Offered& e, base::Now now) {
    if (call.state == State::replaying) {
        return replayed(call, e, now);
    }
    if (is_out_of_order(call.dialog, e.cseq)) {
        return refuse_request(call, 500);
    }
    if (!traits(call.state).has_dialog) {
        // Being rebuilt, it is only busy: 491 makes the peer ask again (RFC 3261 §14.2).
        return refuse_request(call, traits(call.state).is_coming_back ? 491 : 481);
    }
    const bool we_have_offered =
        call.offer_in_2xx || (call.state == State::answering && call.dialog.remote_sdp.empty());
    if (e.update && e.offer && we_have_offered) { // RFC 3311 §5.2
        return refuse_request(call, 491);
    }
    Step result = stay(call);
    Call& next = result.call;
    Dialog& dialog = next.dialog;
    learn(dialog, e.facts, now);
    dialog.remote_cseq = e.cseq;
    next.refresh_due = false;
    // A re-INVITE without an offer gets ours (RFC 3261 §14.2).
    const bool with_sdp = !e.update || e.offer;
    next.offer_in_2xx = !e.update && !e.offer;
    if (e.offer && !take_offer(next, *e.offer)) {
        return refuse_request(call, 488);
    }
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::report},
                      effect::Reply{.status = 200, .with_sdp = with_sdp}};
    if (call.state == State::restored || call.state == State::retrying) {
        resume_by_peer(result);
    }
    if (!traits(next.state).is_coming_back) {
        result.effects.emplace_back(effect::RunMedia{});
    }
    if (dialog.hold.remote != call.dialog.hold.remote) {
        result.effects.emplace_back(effect::Tell{
            .news = dialog.hold.remote ? News::held : News::unheld, .detail = "remote"});
    } else {
        result.effects.emplace_back(effect::Tell{.news = News::refreshed});
    }
    return result;
}

Step on(const Call& call, const event::PeerBye& e, base::Now /*now*/) {
    if (call.state == State::over || call.state == State::idle) {
        return stay(call);
    }
    if (is_out_of_order(call.dialog, e.cseq)) {
        return refuse_request(call, 500);
    }
    Step result = stay(call);
    // The record goes first: after the 200 the peer believes in no call, and a record would
    // bring one back. Should we die in between, the peer repeats its BYE and gets 481.
    finish(result, "the peer has hung up");
    result.effects.emplace_back(effect::StopRetryTimer{});
    result.effects.emplace_back(effect::RespondBye{});
    result.effects.emplace_back(
        effect::Tell{.news = News::ended, .detail = "remote", .why = e.reason});
    return result;
}

Step on(const Call& call, const event::PeerInfo& e, base::Now /*now*/) {
    if (call.state == State::over) {
        return stay(call);
    }
    if (is_out_of_order(call.dialog, e.cseq)) {
        return refuse_request(call, 500);
    }
    Step result = stay(call);
    if (e.cseq != 0 &&
        e.cseq == call.dialog.remote_cseq) { // acted on before a restart, whose peer heard no 200
        result.effects = {effect::Reply{.status = 200, .with_sdp = false}};
        return result;
    }
    result.call.dialog.remote_cseq = e.cseq;
    result.effects = {effect::Persist{.otherwise = effect::Otherwise::go_on},
                      effect::Reply{.status = 200, .with_sdp = false},
                      effect::Tell{.news = News::info, .detail = e.content_type + ": " + e.body}};
    return result;
}

} // namespace revenant::call
