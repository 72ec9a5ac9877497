// Whom a call hears: the peer, wherever it really sends from, and nobody else.
#include <cstdint>
#include <utility>
#include <vector>

#include "media/audio/codec.hpp"
#include "unit/fakes/media_peer.hpp"
#include "unit/fakes/running_engine.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;

TEST_CASE("what the peer sends is counted and the first packet is reported on the main loop") {
    Running running;
    int firsts = 0;
    running.engine->on_first_packet = [&](call::Number call) { firsts += call == one ? 1 : 100; };
    running.start();
    for (const std::uint16_t sequence : std::initializer_list<std::uint16_t>{10, 11, 11, 13}) {
        running.peer.send_rtp(running.local, sequence);
    }
    CHECK(eventually([&] { return running.statistics().packets_received == 4; }));
    CHECK(eventually([&] { return firsts == 1; }));
    const auto statistics = running.statistics();
    CHECK(statistics.packets_duplicate == 1);
    CHECK(statistics.packets_lost == 1);
    CHECK(statistics.remote_ssrc == 77U);
    CHECK(statistics.octets_received == 4 * 160);
}

TEST_CASE("who is told of the first packet finds it counted") {
    Running running;
    running.start();
    int told = 0;
    int counted = 0;
    running.engine->on_first_packet = [&](call::Number call) {
        const auto statistics = running.engine->statistics(call);
        ++told;
        counted += statistics && statistics->packets_received > 0 && statistics->remote_ssrc;
    };
    for (call::Number number = 2; number < 100; ++number) {
        const Peer peer;
        const auto local = running.engine->open(number, "127.0.0.1", 0).value();
        REQUIRE(running.engine->run(number, media_to(peer), false));
        const int before = told;
        peer.send_rtp(local, 1);
        REQUIRE(eventually([&] { return told > before; }));
        running.engine->close(number);
    }
    CHECK(counted == told);
}

TEST_CASE("strangers, other payload types and garbage are counted foreign and change nothing") {
    Running running;
    running.start();
    running.peer.send_rtp(running.local, 1);
    REQUIRE(eventually([&] { return running.statistics().packets_received == 1; }));
    const Peer other_port;
    const Peer other_host{"127.0.0.2"};
    for (std::uint16_t i = 2; i < 6; ++i) {
        other_port.send_rtp(running.local, i); // the negotiated port has spoken: too late to latch
        other_host.send_rtp(running.local, i);
    }
    running.peer.send_rtp(running.local, 2, 0xff, 77, 8);
    running.peer.send(running.local, {1, 2, 3});
    CHECK(eventually([&] { return running.statistics().packets_foreign == 10; }));
    CHECK(running.statistics().packets_received == 1);
    static_cast<void>(other_port.drain());
    CHECK(running.peer.receive());
    CHECK(other_port.drain().empty());
}

TEST_CASE(
    "a peer that sends from another port of its host is latched once and gets our packets there") {
    Running running;
    running.start();
    const Peer behind_nat;
    const Peer thief;
    const Peer elsewhere{"127.0.0.2"};
    for (std::uint16_t i = 1; i < 4; ++i) {
        elsewhere.send_rtp(running.local, i);
        behind_nat.send_rtp(running.local, i);
    }
    CHECK(eventually([&] { return running.statistics().packets_received == 2; }));
    CHECK(behind_nat.receive());
    for (std::uint16_t i = 1; i < 4; ++i) {
        thief.send_rtp(running.local, i);
    }
    CHECK(eventually([&] { return running.statistics().packets_foreign == 1 + 3 + 3; }));
    CHECK(elsewhere.drain().empty());
    CHECK(thief.drain().empty());

    // The latch is remembered over a restart.
    auto media = media_to(running.peer);
    const auto segment = *running.engine->segment(one);
    media.ssrc = running.statistics().ssrc;
    media.segment = segment;
    running.engine->detach();
    running.engine = make_engine(running.folder);
    static_cast<void>(behind_nat.drain());
    REQUIRE(running.engine->open(one, "127.0.0.1", running.local.port));
    REQUIRE(running.engine->run(one, media, false));
    CHECK(behind_nat.receive());
}

TEST_CASE("a peer on another host is latched after five packets, told, and found again") {
    Running running;
    std::vector<call::Endpoint> moves;
    running.engine->on_moved = [&](call::Number, const call::Endpoint& from) {
        moves.push_back(from);
    };
    running.start();
    const Peer behind_nat{"127.0.0.2"};
    for (std::uint16_t i = 1; i < 8; ++i) {
        behind_nat.send_rtp(running.local, i);
    }
    CHECK(eventually([&] { return running.statistics().packets_received == 3; }));
    CHECK(eventually([&] { return moves.size() == 1; }));
    CHECK(moves.front() == behind_nat.endpoint());
    CHECK(behind_nat.receive());

    auto media = media_to(running.peer);
    media.ssrc = running.statistics().ssrc;
    media.segment = *running.engine->segment(one);
    running.engine->detach();
    running.engine = make_engine(running.folder);
    static_cast<void>(behind_nat.drain());
    REQUIRE(running.engine->open(one, "127.0.0.1", running.local.port));
    REQUIRE(running.engine->run(one, media, false));
    CHECK(behind_nat.receive());

    // The agreed address speaks: ours goes there again.
    running.peer.send_rtp(running.local, 700);
    static_cast<void>(running.peer.drain());
    CHECK(eventually([&] { return running.peer.receive(0).has_value(); }));
}

TEST_CASE("all formats of our description are heard, under the peer's numbers too") {
    Running running;
    auto media = media_to(running.peer, "echo");
    media.receive = {{.payload_type = 0, .name = "PCMU"},
                     {.payload_type = 8, .name = "PCMA"},
                     {.payload_type = 121, .name = "PCMA"},
                     {.payload_type = 97, .name = "unknown", .clock_rate = 48000},
                     {.payload_type = 8, .name = "PCMU"}};
    running.local = running.engine->open(one, "127.0.0.1", 0).value();
    REQUIRE(running.engine->run(one, media, false));
    std::uint16_t sequence = 1;
    for (const auto& [type, row] : {std::pair{0, 1}, std::pair{8, 0}, std::pair{121, 0}}) {
        CAPTURE(type);
        // The octet of a loud sample, and what it is when sent back as u-law.
        const std::uint8_t loud = 0x15;
        std::int16_t pcm = 0;
        std::uint8_t echoed = 0;
        codec_table()[static_cast<std::size_t>(row)].decode({&loud, 1}, {&pcm, 1});
        codec_table()[1].encode({&pcm, 1}, {&echoed, 1});
        bool is_heard = false;
        for (int i = 0; i < 100 && !is_heard; ++i) {
            running.peer.send_rtp(running.local, sequence++, loud, 77,
                                  static_cast<std::uint8_t>(type));
            const auto back = running.peer.receive();
            REQUIRE(back);
            is_heard = back->payload[80] == echoed;
        }
        CHECK(is_heard);
    }
    const auto before = running.statistics().packets_foreign;
    running.peer.send_rtp(running.local, sequence, 0, 77, 97);
    CHECK(eventually([&] { return running.statistics().packets_foreign == before + 1; }));
}

TEST_CASE("an echo source sends back what it received") {
    Running running;
    running.start("echo");
    std::vector<std::uint8_t> wanted(160, 0x23);
    bool echoed = false;
    for (std::uint16_t i = 0; i < 60 && !echoed; ++i) {
        running.peer.send_rtp(running.local, i, 0x23);
        echoed = running.peer.receive()->payload == wanted;
    }
    CHECK(echoed);
}
