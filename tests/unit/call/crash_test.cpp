// Crash tests: scripted calls, cut after every single effect. What the peer believes is worked out
// from what went to the wire; what we know afterwards is what the store has.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/call_scripts.hpp"
#include "unit/fakes/fake_store.hpp"
#include "unit/fakes/two_sides.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

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
