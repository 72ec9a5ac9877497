// What happens in a call, from its beginning to its end, and the ways back after a kill.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/two_sides.hpp"

namespace revenant::call {

struct Script {
    std::string name;
    Role role = Role::caller;
    std::function<void(Runner&, Peer&)> play;
};

inline event::Answered ok(const Runner& r, Direction direction = Direction::sendrecv) {
    return {.cseq = r.last_cseq(), .facts = peer_facts(), .answer = peer_session(direction)};
}

inline event::Answered stand_in(const Runner& r) {
    return {.cseq = r.last_cseq(), .from_stand_in = true, .facts = peer_facts()};
}

inline event::Failed refusal(const Runner& r, std::uint16_t status) {
    return {.status = status, .reason = "no", .cseq = r.last_cseq()};
}

inline void refuse(Runner& r, Peer& peer, std::uint16_t status) {
    peer.offered_sdp = peer.our_sdp;
    r.on(event::Refused{.status = status, .cseq = r.last_cseq()});
    peer.has_forgotten = true; // the stack acknowledges
    r.on(refusal(r, status));
}

inline void set_up(Runner& r, Peer& /*peer*/) {
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
inline void no_such_call(Runner& r, Peer& peer) {
    peer.believes = false;
    r.on(refusal(r, 481));
    r.on(event::Ready{});
    r.on(event::RequestDone{.method = "BYE", .status = 481, .cseq = r.last_cseq()});
    r.on(event::Terminated{.status = 481});
}

inline void peer_bye(Runner& r, Peer& peer) {
    peer.is_ending = true;
    r.on(event::PeerBye{.cseq = 20});
}

inline void hang_up(Runner& r, Peer& /*peer*/) {
    r.on(event::HangUp{});
    r.on(event::RequestDone{.method = "BYE", .status = 200, .cseq = r.last_cseq()});
    r.on(event::Terminated{.status = 200});
}

inline void peer_offers(Runner& r, Peer& peer, Direction direction, std::uint32_t version) {
    peer.asks = true;
    r.on(event::Offered{
        .cseq = version, .facts = peer_facts(), .offer = peer_session(direction, version)});
    r.on(event::Ready{});
}

inline void refresh(Runner& r, Peer& /*peer*/) {
    r.on(event::Resume{});
    r.on(ok(r));
    r.on(event::Ready{});
}

inline void hold(Runner& r, Peer& /*peer*/) {
    r.on(event::Hold{});
    r.on(ok(r, Direction::recvonly));
    r.on(event::Ready{});
}

inline void unhold(Runner& r, Peer& /*peer*/) {
    r.on(event::Unhold{});
    r.on(ok(r));
    r.on(event::Ready{});
}

inline std::vector<Script> scripts() {
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

inline void restore(Runner& r, const Peer& peer) {
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

inline std::vector<std::pair<std::string, Comeback>> comebacks() {
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

} // namespace revenant::call
