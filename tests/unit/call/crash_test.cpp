// Crash tests: scripted calls, cut after every single effect. What the peer believes is worked out
// from what went to the wire; what we know afterwards is what the store has.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/base/overloaded.hpp"
#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/fake_store.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

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

struct Script {
    std::string name;
    Role role = Role::caller;
    std::function<void(Runner&, Peer&)> play;
};

event::Answered ok(const Runner& r, Direction direction = Direction::sendrecv) {
    return {.cseq = r.last_cseq(), .facts = peer_facts(), .answer = peer_session(direction)};
}

event::Answered stand_in(const Runner& r) {
    return {.cseq = r.last_cseq(), .from_stand_in = true, .facts = peer_facts()};
}

event::Failed refusal(const Runner& r, std::uint16_t status) {
    return {.status = status, .reason = "no", .cseq = r.last_cseq()};
}

void refuse(Runner& r, Peer& peer, std::uint16_t status) {
    peer.offered_sdp = peer.our_sdp;
    r.on(event::Refused{.status = status, .cseq = r.last_cseq()});
    peer.has_forgotten = true; // the stack acknowledges
    r.on(refusal(r, status));
}

void set_up(Runner& r, Peer& /*peer*/) {
    if (r.call.dialog.role == Role::caller) {
        r.on(event::Dial{});
        r.on(event::Progress{.status = 180, .reason = "Ringing", .remote_tag = "peer-tag"});
        r.on(ok(r));
        r.on(event::Ready{});
    } else {
        r.on(event::Invited{.offer = peer_session()});
        r.stack_cseq = sample_watermark - cseq_block;
        r.on(event::Answer{});
        r.on(event::Acked{});
        r.on(event::Ready{});
    }
    r.on(event::Quiet{});
}

// 481, and our BYE all the same.
void no_such_call(Runner& r, Peer& peer) {
    peer.believes = false;
    r.on(refusal(r, 481));
    r.on(event::Ready{});
    r.on(event::RequestDone{.method = "BYE", .status = 481, .cseq = r.last_cseq()});
    r.on(event::Terminated{.status = 481});
}

void peer_bye(Runner& r, Peer& peer) {
    peer.is_ending = true;
    r.on(event::PeerBye{.cseq = 20});
}

void hang_up(Runner& r, Peer& /*peer*/) {
    r.on(event::HangUp{});
    r.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = r.last_cseq()});
    r.on(event::Terminated{.status = 200});
}

void peer_offers(Runner& r, Peer& peer, Direction direction, std::uint32_t version) {
    peer.asks = true;
    r.on(event::Offered{
        .cseq = version, .facts = peer_facts(), .offer = peer_session(direction, version)});
    r.on(event::Ready{});
}

void refresh(Runner& r, Peer& /*peer*/) {
    r.on(event::Resume{});
    r.on(ok(r));
    r.on(event::Ready{});
}

void hold(Runner& r, Peer& /*peer*/) {
    r.on(event::Hold{});
    r.on(ok(r, Direction::recvonly));
    r.on(event::Ready{});
}

void unhold(Runner& r, Peer& /*peer*/) {
    r.on(event::Unhold{});
    r.on(ok(r));
    r.on(event::Ready{});
}

std::vector<Script> scripts() {
    std::vector<Script> all;
    for (const Role role : {Role::caller, Role::callee}) {
        const auto add = [&](const std::string& name, std::function<void(Runner&, Peer&)> rest) {
            all.push_back({(role == Role::caller ? "caller: " : "callee: ") + name, role,
                           [rest = std::move(rest)](Runner& r, Peer& peer) {
                               set_up(r, peer);
                               rest(r, peer);
                           }});
        };
        add("we hang up", hang_up);
        add("the peer hangs up", peer_bye);
        add("hold, unhold, refresh", [](Runner& r, Peer& peer) {
            hold(r, peer);
            unhold(r, peer);
            refresh(r, peer);
            hang_up(r, peer);
        });
        add("a hold that is refused", [](Runner& r, Peer& peer) {
            r.on(event::Hold{});
            refuse(r, peer, 488);
            r.on(event::Ready{});
            peer_bye(r, peer);
        });
        add("glare, then hold", [](Runner& r, Peer& peer) {
            r.on(event::Hold{});
            refuse(r, peer, 491);
            r.on(event::Ready{});
            r.on(event::RetryDue{});
            r.on(ok(r, Direction::recvonly));
            hang_up(r, peer);
        });
        add("remote hold and its end", [](Runner& r, Peer& peer) {
            peer_offers(r, peer, Direction::sendonly, 2);
            peer_offers(r, peer, Direction::sendrecv, 3);
            peer_bye(r, peer);
        });
        add("hold on both sides, INFO, OPTIONS", [](Runner& r, Peer& peer) {
            hold(r, peer);
            peer_offers(r, peer, Direction::inactive, 2);
            r.on(event::SendInfo{.content_type = "a/b", .body = "c"});
            r.on(event::RequestDone{.method = "INFO", .status = 200, .cseq = r.last_cseq()});
            r.on(event::SendOptions{});
            r.on(event::RequestDone{.method = "OPTIONS", .status = 200, .cseq = r.last_cseq()});
            hang_up(r, peer);
        });
        add("a re-INVITE that must authenticate", [](Runner& r, Peer& peer) {
            r.on(event::Hold{});
            r.on(event::Challenged{.cseq = r.last_cseq(), .have_credentials = true});
            r.on(ok(r, Direction::recvonly));
            hang_up(r, peer);
        });
    }
    all.push_back(
        {"caller: canceled in vain", Role::caller, [](Runner& r, Peer&) {
             r.on(event::Dial{});
             r.on(event::Progress{.status = 180, .remote_tag = "peer-tag"});
             r.on(event::HangUp{});
             r.on(ok(r));
             r.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = r.last_cseq()});
             r.on(event::Terminated{});
         }});
    all.push_back({"caller: canceled", Role::caller, [](Runner& r, Peer& peer) {
                       r.on(event::Dial{});
                       peer.is_busy = true; // it has no other answer left
                       r.on(event::Progress{.status = 180, .remote_tag = "peer-tag"});
                       r.on(event::HangUp{});
                       refuse(r, peer, 487);
                       r.on(event::Terminated{});
                   }});
    all.push_back({"caller: busy", Role::caller, [](Runner& r, Peer& peer) {
                       peer.is_busy = true;
                       r.on(event::Dial{});
                       refuse(r, peer, 486);
                       r.on(event::Terminated{});
                   }});
    all.push_back({"caller: must authenticate", Role::caller, [](Runner& r, Peer& peer) {
                       r.on(event::Dial{});
                       r.on(event::Refused{.status = 401, .cseq = r.last_cseq()});
                       peer.has_forgotten = true;
                       r.on(event::Challenged{.cseq = r.last_cseq(), .have_credentials = true});
                       r.on(ok(r));
                       r.on(event::Ready{});
                       r.on(event::Quiet{});
                       hang_up(r, peer);
                   }});
    all.push_back({"callee: declined", Role::callee, [](Runner& r, Peer&) {
                       r.on(event::Invited{.offer = peer_session()});
                       r.on(event::Decline{});
                       r.on(event::Terminated{});
                   }});
    all.push_back({"callee: canceled", Role::callee, [](Runner& r, Peer& peer) {
                       r.on(event::Invited{.offer = peer_session()});
                       peer.is_ending = true;
                       r.on(event::Cancelled{});
                       peer.waits = false; // the stack says 487
                       r.on(event::Terminated{});
                   }});
    return all;
}

// Ways back after a kill. Each ends in a call that is up or properly over.
using Comeback = std::function<void(Runner&, Peer&)>;

void restore(Runner& r, const Peer& peer) {
    r.on(event::Restore{});
    if (r.call.state == State::over) {
        return;
    }
    if (r.call.state == State::inviting || r.call.state == State::canceling) {
        if (peer.is_busy) {
            r.on(event::Refused{.status = 486, .cseq = r.last_cseq()});
            r.on(refusal(r, 486));
            r.on(event::Terminated{});
            return;
        }
        r.on(ok(r)); // what it was about to say
    } else {
        r.on(stand_in(r));
        r.on(event::Ready{});
        if (r.call.state == State::replaying) {
            r.on(event::Offered{.cseq = 1, .facts = peer_facts(), .offer = peer_session()});
        }
        if (r.call.state == State::alerting) {
            r.on(event::Answer{});
        }
        if (r.call.state == State::answering) {
            r.on(event::Acked{});
        }
    }
    r.on(event::Ready{});
    if (r.call.state == State::ending) { // its BYE was under way
        r.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = r.last_cseq()});
        r.on(event::Terminated{});
    }
}

std::vector<std::pair<std::string, Comeback>> comebacks() {
    const auto when_up = [](Comeback rest) {
        return [rest = std::move(rest)](Runner& r, Peer& peer) {
            restore(r, peer);
            if (r.call.state == State::restored) {
                r.on(event::Resume{});
                if (peer.believes) {
                    rest(r, peer);
                } else { // it knows of no such call
                    no_such_call(r, peer);
                }
            }
        };
    };
    return {
        {"200", when_up([](Runner& r, Peer&) { r.on(ok(r)); })},
        {"503, then 200", when_up([](Runner& r, Peer&) {
             r.on(refusal(r, 503));
             r.on(event::Ready{});
             r.on(event::RetryDue{});
             r.on(ok(r));
         })},
        {"491, then 200", when_up([](Runner& r, Peer&) {
             r.on(refusal(r, 491));
             r.on(event::Ready{});
             r.on(event::RetryDue{});
             r.on(ok(r));
         })},
        {"422, then 200", when_up([](Runner& r, Peer&) {
             r.on(event::Progress{.status = 100, .min_se_s = 300});
             ++r.stack_cseq; // the stack's own retry, to the stand-in
             r.on(stand_in(r));
             r.on(event::Ready{});
             r.on(ok(r));
         })},
        {"401, then 200", when_up([](Runner& r, Peer&) {
             r.on(event::Challenged{.cseq = r.last_cseq(), .have_credentials = true});
             r.on(ok(r));
         })},
        {"the peer hangs up meanwhile", when_up([](Runner& r, Peer& peer) { peer_bye(r, peer); })},
        {"the user hangs up meanwhile", when_up([](Runner& r, Peer& peer) { hang_up(r, peer); })},
        {"481", when_up([](Runner& r, Peer& peer) { no_such_call(r, peer); })},
    };
}

// The same as `agreed`, under a version that the refused offer has not had (RFC 3264 §8).
bool is_taken_back(const std::string& stored, const std::string& agreed) {
    const auto without_version = [](const std::string& sdp) {
        const std::size_t origin = sdp.find("o=- 4811 ") + 9;
        return sdp.substr(0, origin) + sdp.substr(sdp.find(' ', origin));
    };
    return stored != agreed && without_version(stored) == without_version(agreed);
}

// What must be true of the store when the process is gone.
void look(journal::MemoryStore& store, const Peer& peer, bool forgetting) {
    const auto loaded = store.load();
    REQUIRE(loaded);
    CHECK(loaded->rejected.empty());
    const bool has_record = !loaded->dialogs.empty();
    if ((peer.believes || peer.waits) && !peer.is_ending) {
        REQUIRE(has_record);
    }
    if (!has_record) {
        // Only in the window between the end of the record and the 200 to the peer's BYE may the
        // peer still believe.
        CHECK((!peer.believes || forgetting));
        return;
    }
    const Dialog& d = loaded->dialogs.front();
    if (!peer.believes) {
        return; // a record too many: Restore ends it, or the peer's 481 does
    }
    CHECK(d.remote_tag == "peer-tag");
    CHECK(d.local_tag == "our-tag");
    CHECK(d.call_id == "call-7@192.0.2.10");
    CHECK(d.remote_target == peer_facts().remote_target);
    CHECK(d.remote_sdp.starts_with("v=0\r\no=bob"));
    CHECK(
        (d.phase == Phase::answered || d.phase == Phase::established || d.phase == Phase::ending));
    if (d.role == Role::caller) {
        CHECK(d.route_set == peer_facts().route_set);
    }
    // An offer that the peer has may be accepted at any moment, so it must be what is stored.
    if (peer.offered_sdp != peer.our_sdp) {
        CHECK(d.local_sdp == peer.offered_sdp);
    }
    // Byte for byte what the peer has from us, or the offer that it is about to get or has got.
    if (d.local_sdp != peer.our_sdp && d.local_sdp != peer.offered_sdp) {
        // Else the record may only be ahead of the peer, by what is about to be said.
        CHECK((d.in_flight.reoffer || peer.asks || is_taken_back(d.local_sdp, peer.our_sdp)));
    }
}

Call fresh(Role role) {
    Call call = new_call(role);
    if (role == Role::callee) {
        call.dialog.in_flight.invite = "INVITE sip:alice@192.0.2.10 SIP/2.0\r\n";
    }
    return call;
}

struct Outcome {
    bool killed = false;
    bool forgetting = false;
    std::size_t performed = 0;
};

// Plays until the end or until `die_after` effects are done.
Outcome play(journal::MemoryStore& store,
             Peer& peer,
             std::size_t die_after,
             Call call,
             const std::function<void(Runner&, Peer&)>& script) {
    Runner runner{store, peer, die_after};
    runner.call = std::move(call);
    runner.stack_cseq = runner.call.cseq_base;
    Outcome outcome;
    try {
        script(runner, peer);
    } catch (const Killed&) {
        outcome.killed = true;
    }
    outcome.performed = runner.performed;
    outcome.forgetting = peer.is_ending;
    return outcome;
}

std::optional<Call> next_life(journal::MemoryStore& store) {
    const auto epoch = store.next_epoch();
    auto loaded = store.load();
    REQUIRE(loaded);
    if (loaded->dialogs.empty()) {
        return std::nullopt;
    }
    return revive(std::move(loaded->dialogs.front()), *epoch, our_codecs());
}

constexpr std::size_t never = static_cast<std::size_t>(-1);

// After a whole script and a whole comeback: the two sides agree.
void agree(journal::MemoryStore& store, const Peer& peer) {
    const auto loaded = store.load();
    REQUIRE(loaded);
    if (peer.is_ending) {
        return; // the peer repeats its BYE, and gets 200 or 481
    }
    CHECK(peer.believes == !loaded->dialogs.empty());
    CHECK_FALSE(peer.waits);
}

} // namespace

TEST_CASE("a call that is not cut ends with neither record nor belief") {
    for (const Script& script : scripts()) {
        CAPTURE(script.name);
        journal::MemoryStore store;
        CHECK(store.next_epoch() == 1U);
        Peer peer;
        const Outcome outcome = play(store, peer, never, fresh(script.role), script.play);
        CHECK_FALSE(outcome.killed);
        CHECK_FALSE(peer.believes);
        CHECK(store.records.empty());
    }
}

TEST_CASE("killed after any effect, no call that the peer believes in is lost") {
    std::size_t cuts = 0;
    for (const Script& script : scripts()) {
        for (std::size_t k = 0;; ++k, ++cuts) {
            CAPTURE(script.name);
            CAPTURE(k);
            journal::MemoryStore store;
            static_cast<void>(store.next_epoch());
            Peer peer;
            const Outcome outcome = play(store, peer, k, fresh(script.role), script.play);
            look(store, peer, outcome.forgetting);
            if (!outcome.killed) {
                break;
            }
        }
    }
    CHECK(cuts > 200);
}

TEST_CASE("killed after any effect, a call comes back by every way back") {
    for (const Script& script : scripts()) {
        for (std::size_t k = 0;; ++k) {
            journal::MemoryStore store;
            static_cast<void>(store.next_epoch());
            Peer peer;
            const Outcome first = play(store, peer, k, fresh(script.role), script.play);
            if (!first.killed) {
                break;
            }
            for (const auto& way : comebacks()) {
                CAPTURE(script.name);
                CAPTURE(k);
                CAPTURE(way.first);
                journal::MemoryStore copy = store;
                Peer again = peer;
                if (const auto call = next_life(copy)) {
                    CHECK(call->cseq_base >= again.cseq);
                    const Outcome second = play(copy, again, never, *call, way.second);
                    CHECK_FALSE(second.killed);
                }
                agree(copy, again);
            }
        }
    }
}

TEST_CASE("killed again at any instant of the way back, it comes back all the same") {
    for (const Script& script : scripts()) {
        for (std::size_t k = 0;; ++k) {
            journal::MemoryStore store;
            static_cast<void>(store.next_epoch());
            Peer peer;
            if (!play(store, peer, k, fresh(script.role), script.play).killed) {
                break;
            }
            for (const auto& way : comebacks()) {
                for (std::size_t j = 0;; ++j) {
                    CAPTURE(script.name);
                    CAPTURE(k);
                    CAPTURE(way.first);
                    CAPTURE(j);
                    journal::MemoryStore copy = store;
                    Peer again = peer;
                    const auto call = next_life(copy);
                    if (!call) {
                        break;
                    }
                    const Outcome cut = play(copy, again, j, *call, way.second);
                    look(copy, again, cut.forgetting);
                    if (const auto third = next_life(copy)) {
                        CHECK(third->cseq_base >= again.cseq);
                        static_cast<void>(
                            play(copy, again, never, *third, comebacks().front().second));
                        agree(copy, again);
                    }
                    if (!cut.killed) {
                        break;
                    }
                }
            }
        }
    }
}
