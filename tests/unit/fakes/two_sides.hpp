// A call of ours and its peer: what each side knows, worked out from what went to the wire and into
// the store, until we are killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "revenant/base/overloaded.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/fake_store.hpp"

namespace revenant::call {

// The process is gone: thrown by the runner in place of SIGKILL.
struct Killed {};

// What the other end knows. It learns from messages only.
struct Peer {
    bool believes = false;      // in an established dialog
    bool is_ending = false;     // it has said BYE, or has our BYE
    std::string our_sdp;        // the last description of ours that it has agreed to
    std::string offered_sdp;    // in a re-INVITE of ours that it has not answered
    std::uint32_t cseq = 0;     // the highest of ours
    bool asks = false;          // its re-INVITE has no answer
    bool waits = false;         // it hears that its INVITE rings here
    bool is_busy = false;       // and says so to every INVITE
    bool has_forgotten = false; // our INVITE: its refusal is acknowledged
    std::string invite_sdp;     // in our first INVITE
    std::uint32_t invite_cseq = 0;
};

// One process of ours, with the SIP stack as far as it matters: it numbers requests.
class Runner {
public:
    Runner(journal::MemoryStore& store, Peer& peer, std::size_t die_after)
        : store_{&store}, peer_{&peer}, left_{die_after} {}

    Call call;
    std::uint32_t stack_cseq = 0;
    bool quarantined = false;
    std::size_t performed = 0;
    base::Now now = sample_now;

    void on(const Event& event) {
        const Call before = call;
        Step step = call::step(before, event, now);
        INFO(name(before.state), " --", name(event), "--> ", name(step.call.state));
        CHECK(check(step.call) == "");
        call = std::move(step.call);
        now.boot_ns += 10'000'000;
        now.real_ns += 10'000'000;
        for (const Effect& effect : step.effects) {
            if (left_ == performed) {
                throw Killed{};
            }
            ++performed;
            perform(effect);
        }
        if (left_ == performed && !step.effects.empty()) {
            throw Killed{};
        }
    }

    [[nodiscard]] std::uint32_t last_cseq() const { return stack_cseq; }

private:
    void first_invite() {
        request(true);
        peer_->invite_cseq = stack_cseq;
        peer_->invite_sdp = call.dialog.local_sdp;
        peer_->offered_sdp = call.dialog.local_sdp;
        peer_->has_forgotten = false;
    }

    void request(bool to_peer) {
        ++stack_cseq;
        if (to_peer) {
            // Never reused, never lower.
            CHECK(stack_cseq > peer_->cseq);
            peer_->cseq = stack_cseq;
        }
    }

    void perform(const Effect& effect) {
        std::visit(base::Overloaded{
                       [&](const effect::Persist&) { REQUIRE(store_->save(call.dialog)); },
                       [&](const effect::Forget&) { REQUIRE(store_->remove(call.dialog.number)); },
                       [&](const effect::SendInvite&) {
                           stack_cseq = call.dialog.in_flight.cseq - 1;
                           first_invite();
                       },
                       [&](const effect::RepeatInvite&) {
                           stack_cseq = call.dialog.in_flight.cseq - 1;
                           if (call.dialog.in_flight.cseq != peer_->invite_cseq) {
                               first_invite(); // it had not left
                               return;
                           }
                           stack_cseq = peer_->invite_cseq;
                           CHECK_FALSE(peer_->has_forgotten); // else it would ring again
                           CHECK(call.dialog.local_sdp == peer_->invite_sdp);
                           CHECK(call.dialog.remote_tag.empty());
                       },
                       [&](const effect::Acknowledge&) {
                           // The peer's 2xx is confirmed: now it believes, in what it has answered.
                           peer_->believes = !peer_->is_ending;
                           peer_->our_sdp = peer_->offered_sdp;
                           quarantined = false;
                       },
                       [&](const effect::Respond& r) {
                           peer_->waits = r.status < 200;
                           if (r.status >= 200 && r.status < 300) {
                               peer_->believes = true;
                               peer_->our_sdp = call.dialog.local_sdp;
                               peer_->offered_sdp = peer_->our_sdp;
                           }
                       },
                       [&](const effect::Reply& r) {
                           peer_->asks = false;
                           if (r.status < 300 && r.with_sdp) {
                               peer_->our_sdp = call.dialog.local_sdp;
                               peer_->offered_sdp = peer_->our_sdp;
                           }
                       },
                       [&](const effect::RespondBye&) { peer_->believes = false; },
                       [&](const effect::SendBye&) {
                           request(true);
                           peer_->believes = false;
                       },
                       [&](const effect::Reoffer&) {
                           request(true);
                           peer_->offered_sdp = call.dialog.local_sdp;
                       },
                       [&](const effect::SendInfo&) { request(true); },
                       [&](const effect::SendOptions&) { request(true); },
                       [&](const effect::Authenticate&) {
                           request(true);
                           if (!peer_->believes) {
                               CHECK(stack_cseq == call.dialog.in_flight.cseq);
                               peer_->invite_cseq = stack_cseq;
                               peer_->has_forgotten = false;
                           }
                       },
                       [&](const effect::Restore&) {
                           stack_cseq = call.cseq_base;
                           quarantined = true;
                           request(false);
                       },
                       [&](const effect::Arm&) {
                           CHECK(quarantined);
                           request(true);
                           peer_->offered_sdp = call.dialog.local_sdp;
                       },
                       [&](const effect::Lift&) { quarantined = false; },
                       [](const auto& /*nothing that the peer sees*/) {}},
                   effect);
    }

    journal::MemoryStore* store_;
    Peer* peer_;
    std::size_t left_;
};

} // namespace revenant::call
