// Each function that stands in front of somebody else's is reached through the library: a phone
// with real sockets, and a far end that makes the library come to all of them.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/free_port.hpp"
#include "app/keeper_link.hpp"
#include "app/switchboard.hpp"
#include "fuzz/far_end.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/sip/agent.hpp"
#include "sip/interpose/functions.hpp"
#include "sip/sofia/nua.hpp"
#include "unit/fakes/call_samples.hpp"
#include "unit/fakes/fake_engine.hpp"
#include "unit/fakes/fake_store.hpp"
#include "unit/fakes/main_loop.hpp"
#include "unit/fakes/quiet.hpp"

using namespace revenant;
namespace event = call::event;

namespace {

const std::string address = "127.0.0.1";
constexpr std::uint32_t interval_s = 4; // the session is refreshed after half of it

class World {
public:
    World() : board_{store_, media_, ports_, keeping_, policy()} {
        REQUIRE(store_.next_epoch().has_value());
        sip::Settings settings;
        settings.aor = "sip:phone@127.0.0.1";
        settings.listen = {{.at = {.address = address, .port = port_}, .transport = {}}};
        settings.session_expires_s = interval_s;
        auto agent = sip::Agent::create(settings, board_);
        REQUIRE(agent.has_value());
        agent_ = std::move(*agent);
        board_.connect(*agent_);
        comeback_.restore([] {});
    }

    World(const World&) = delete;
    World& operator=(const World&) = delete;

    ~World() {
        bool is_done = false;
        agent_->shut_down([&] { is_done = true; });
        CHECK(until([&] { return is_done; }));
    }

    [[nodiscard]] bool until(const std::function<bool()>& is_so) {
        return run_until(
            [&] {
                peer_.read();
                return is_so();
            },
            20'000);
    }

    void hears(const std::string& method) {
        CAPTURE(method);
        CHECK(until([&] { return peer_.heard(method); }));
    }

    void hears_status(const std::string& status) {
        CAPTURE(status);
        CHECK(until([&] { return peer_.heard_status(status); }));
    }

    void is_in(call::State state) {
        CAPTURE(name(state));
        CHECK(until([&] {
            return !board_.calls().empty() && board_.calls().begin()->second.state == state;
        }));
    }

    void is_over() {
        CHECK(until([&] { return board_.calls().empty(); }));
        peer_.forget();
    }

    void user(const call::Event& what) {
        REQUIRE_FALSE(board_.calls().empty());
        bool done = false;
        board_.apply(board_.calls().begin()->first, what,
                     [&](const base::Status& status) { done = status.has_value(); });
        CHECK(done);
    }

    void dial() {
        bool done = false;
        board_.dial(fmt::format("sip:peer@127.0.0.1:{}", peer_.port()),
                    [&](const auto& number) { done = number.has_value(); });
        CHECK(done);
    }

    void say(std::string_view text) { peer_.say(peer_.expanded(text)); }

    fuzz::FarEnd& peer() { return peer_; }

    sip::Agent& agent() { return *agent_; }

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    static app::Policy policy() {
        app::Policy p;
        p.codecs = call::our_codecs();
        return p;
    }

    std::uint16_t port_ =
        app::chosen_port({.address = address, .port = 0, .transport = {}}, {}, {});
    fuzz::FarEnd peer_{port_};
    journal::MemoryStore store_;
    media::FakeEngine media_;
    app::Keeping keeping_;
    app::CallPorts ports_{media_, keeping_};
    app::Switchboard board_;
    app::Comeback comeback_{board_, ports_};
    std::unique_ptr<sip::Agent> agent_;
};

// A call of ours: a reliable ringing, an answer and another callee's, an offer that is refused.
void call_and_be_refused(World& world) {
    world.dial();
    world.hears("INVITE");
    world.say("SIP/2.0 180 Ringing\r\n{answer INVITE}{contact}Require: 100rel\r\nRSeq: 7\r\n"
              "Content-Length: 0\r\n\r\n");
    world.hears("PRACK");
    world.say("SIP/2.0 200 OK\r\n{answer PRACK}Content-Length: 0\r\n\r\n");
    const std::string answer =
        world.peer().expanded("SIP/2.0 200 OK\r\n{answer INVITE}{contact}{sdp}");
    std::string others = answer;
    others.replace(others.find(";tag=theirs"), 11, ";tag=others");
    world.peer().say(answer);
    world.is_in(call::State::established);
    world.peer().say(others);
    world.hears("BYE"); // to the other callee
    world.say("SIP/2.0 200 OK\r\n{answer BYE}Content-Length: 0\r\n\r\n");
    const std::string before = world.peer().expanded("{answer INVITE}");
    world.user(event::Hold{});
    CHECK(world.until([&] { return world.peer().expanded("{answer INVITE}") != before; }));
    world.say("SIP/2.0 488 Not Acceptable Here\r\n{answer INVITE}Content-Length: 0\r\n\r\n");
    world.is_in(call::State::established);
    world.peer().answer_all();
    world.user(event::HangUp{});
    world.is_over();
}

// A call that ends while an offer of ours has no answer: nothing of the request is left, which is
// seen by the leak checker.
void be_left_in_an_offer(World& world) {
    world.dial();
    world.hears("INVITE");
    world.say("SIP/2.0 200 OK\r\n{answer INVITE}{contact}{sdp}");
    world.is_in(call::State::established);
    const std::string before = world.peer().expanded("{answer INVITE}");
    world.user(event::Hold{});
    CHECK(world.until([&] { return world.peer().expanded("{answer INVITE}") != before; }));
    world.say(fmt::format("BYE sip:phone@127.0.0.1:{} SIP/2.0\r\n{{request BYE}}"
                          "Content-Length: 0\r\n\r\n",
                          world.port()));
    world.is_over();
}

// A call of the peer's, who wants us to refresh the session.
void be_called_and_refresh(World& world) {
    std::string invite = world.peer().invite();
    invite.insert(invite.find("Content-Type:"),
                  fmt::format("Supported: timer, 100rel\r\nSession-Expires: {};refresher=uas\r\n"
                              "Min-SE: {}\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n",
                              interval_s, interval_s));
    world.peer().say(invite);
    world.hears_status("180");
    world.user(event::Answer{});
    world.hears_status("200");
    world.say(fmt::format("ACK sip:phone@127.0.0.1:{} SIP/2.0\r\n{{request ACK}}"
                          "Content-Length: 0\r\n\r\n",
                          world.port()));
    world.is_in(call::State::established);
    world.peer().answer_all();
    CHECK(world.until([] { return sip::hooks.nua_dialog_usage_refresh.is_reached(); }));
    world.user(event::HangUp{});
    world.is_over();
}

std::string options(const World& world, int number) {
    return fmt::format("OPTIONS sip:phone@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP "
                       "127.0.0.1:{0};branch=z9hG4bK{1}\r\nMax-Forwards: 70\r\nFrom: "
                       "<sip:peer@127.0.0.1>;tag=o\r\nTo: <sip:phone@127.0.0.1>\r\nCall-ID: o{1}"
                       "\r\nCSeq: {1} OPTIONS\r\nContent-Length: 0\r\n\r\n",
                       world.port(), number);
}

// A stream with two messages in one piece, and then what is none.
void be_asked_by_stream(World& world) {
    world.peer().connect();
    world.peer().say(options(world, 1) + options(world, 2));
    world.hears_status("200");
    world.peer().say("what is this\r\n\r\n\r\n");
    CHECK(world.until([] { return sip::hooks.tport_stall.is_reached(); }));
    world.peer().forget();
}

// Nobody listens there.
void ask_nobody(World& world) {
    CHECK(world.agent().ask_options("sip:nobody@127.0.0.1:9", [](const sip::OptionsAnswer&) {}));
    CHECK(world.until([] { return sip::hooks.msg_set_errno.is_reached(); }));
}

// A request to a name, given up while the name is looked up; beside nua, in a root of its own.
void give_up_a_name() {
    const sip::Root root{su_root_create(nullptr)};
    su_root_threading(root.get(), 0);
    nta_agent_t* const agent = nta_agent_create(root.get(), URL_STRING_MAKE("sip:127.0.0.1:*"),
                                                nullptr, nullptr, TAG_END());
    REQUIRE(agent != nullptr);
    nta_leg_t* const leg =
        nta_leg_tcreate(agent, nullptr, nullptr, SIPTAG_FROM_STR("<sip:phone@127.0.0.1>"),
                        SIPTAG_TO_STR("<sip:bob@nowhere.invalid>"), TAG_END());
    nta_outgoing_t* const request =
        nta_outgoing_tcreate(leg, nullptr, nullptr, nullptr, SIP_METHOD_OPTIONS,
                             URL_STRING_MAKE("sip:bob@nowhere.invalid"), TAG_END());
    REQUIRE(request != nullptr);
    CHECK(sip::hooks.sres_query.is_reached());
    nta_outgoing_destroy(request);
    nta_leg_destroy(leg);
    nta_agent_destroy(agent);
    CHECK(sip::hooks.sres_query_bind.is_reached());
}

} // namespace

TEST_CASE("every function that stands in front is reached through the library") {
    for (const sip::InFront& row : sip::in_front) {
        row.slot->forget_reached();
    }
    {
        const Quiet quiet;
        World world;
        call_and_be_refused(world);
        be_left_in_an_offer(world);
        be_called_and_refresh(world);
        be_asked_by_stream(world);
        ask_nobody(world);
        give_up_a_name();
    }
    for (const sip::InFront& row : sip::in_front) {
        if (!row.slot->is_reached()) {
            FAIL_CHECK(std::string{row.slot->name()});
        }
    }
}
