#include <cmath>
#include <fstream>
#include <utility>
#include <vector>

#include "media/audio/codec.hpp"
#include "media/rtp/numbering.hpp"
#include "media/rtp/page.hpp"
#include "media/rtp/rtcp.hpp"
#include "unit/fakes/media_peer.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;

namespace {

constexpr call::Number one = 1;

struct Running {
    Folder folder;
    Peer peer;
    std::unique_ptr<Engine> engine = make_engine(folder);
    call::Endpoint local;

    call::Media start(std::string source = "silence", std::string sink = "null") {
        auto media = media_to(peer, std::move(source), std::move(sink));
        local = engine->open(one, "127.0.0.1", 0).value();
        REQUIRE(engine->run(one, media, false));
        return media;
    }

    [[nodiscard]] Statistics statistics() const { return engine->statistics(one).value(); }

    // Ten packets in a row, checked against each other.
    std::vector<Heard> hear(int count) const {
        std::vector<Heard> all;
        for (int i = 0; i < count; ++i) {
            auto heard = peer.receive();
            REQUIRE(heard);
            all.push_back(*heard);
        }
        return all;
    }
};

} // namespace

TEST_CASE("a fresh stream begins at its identity with the marker bit and keeps the pace") {
    Running running;
    const auto media = running.start();
    const auto packets = running.hear(10);
    CHECK(packets[0].header.marker);
    CHECK(packets[0].header.sequence == media.segment.seq);
    CHECK(packets[0].header.timestamp == media.segment.ts);
    for (std::size_t i = 1; i < packets.size(); ++i) {
        CHECK_FALSE(packets[i].header.marker);
        CHECK(packets[i].header.ssrc == media.ssrc);
        CHECK(packets[i].header.sequence == static_cast<std::uint16_t>(media.segment.seq + i));
        CHECK(packets[i].header.timestamp == media.segment.ts + i * 160);
        CHECK(packets[i].payload == std::vector<std::uint8_t>(160, 0xff));
    }
    CHECK(running.statistics().packets_sent >= 10);
    const auto segment = running.engine->segment(one);
    REQUIRE(segment);
    CHECK(segment->seq == media.segment.seq);
    CHECK(segment->ts == media.segment.ts);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const auto due = segment->boot_ns + static_cast<std::int64_t>(i) * 20'000'000;
        CHECK(packets[i].at.boot_ns >= due);
    }
}

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

TEST_CASE("what a call has sent and heard can be read after its end, until its number is used") {
    Running running;
    running.start();
    CHECK_FALSE(running.engine->final_statistics(one));
    running.peer.send_rtp(running.local, 10);
    running.peer.send_rtp(running.local, 12);
    REQUIRE(eventually([&] { return running.statistics().packets_received == 2; }));
    running.engine->close(one);
    CHECK_FALSE(running.engine->statistics(one));
    const auto last = running.engine->final_statistics(one);
    REQUIRE(last);
    CHECK(last->packets_sent > 0);
    CHECK(last->packets_received == 2);
    CHECK(last->packets_lost == 1);
    REQUIRE(running.engine->open(one, "127.0.0.1", 0));
    CHECK_FALSE(running.engine->final_statistics(one));
}

TEST_CASE("news of a call that is over is not told of the next with its number") {
    Running running;
    int firsts = 0;
    running.engine->on_first_packet = [&](call::Number) { ++firsts; };
    running.start();
    running.peer.send_rtp(running.local, 10);
    while (running.statistics().packets_received == 0) { // the main loop does not turn
        ::usleep(500);
    }
    running.engine->close(one);
    REQUIRE(running.engine->open(one, "127.0.0.1", 0));
    REQUIRE(running.engine->run(one, media_to(running.peer), false));
    REQUIRE(eventually([&] { return running.statistics().packets_sent > 2; }));
    CHECK(firsts == 0);
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

TEST_CASE("after a hold the sequence goes on without a gap, the timestamp by the clock, with the "
          "marker") {
    Running running;
    auto media = running.start("tone:440");
    Heard last = running.hear(5).back();
    media.direction = call::Direction::recvonly;
    REQUIRE(running.engine->run(one, media, false));
    for (auto next = running.peer.receive(150); next; next = running.peer.receive(150)) {
        last = *next; // silence for 150 ms says that the hold is in force
    }
    SUBCASE("in one process") {}
    SUBCASE("over a restart in the middle of the hold") {
        const auto segment = running.engine->segment(one);
        running.engine->detach();
        running.engine = make_engine(running.folder);
        REQUIRE(running.engine->open(one, "127.0.0.1", running.local.port));
        media.segment = *segment;
        REQUIRE(running.engine->run(one, media, false));
        CHECK_FALSE(running.peer.receive(100));
    }
    media.direction = call::Direction::sendrecv;
    REQUIRE(running.engine->run(one, media, false));
    const auto resumed = running.hear(3);
    CHECK(resumed[0].header.marker);
    CHECK(resumed[0].header.sequence == static_cast<std::uint16_t>(last.header.sequence + 1));
    const auto ts_ms =
        static_cast<double>(resumed[0].header.timestamp - last.header.timestamp) / 8.0;
    const auto real_ms = static_cast<double>(resumed[0].at.boot_ns - last.at.boot_ns) / 1e6;
    CHECK(ts_ms == doctest::Approx(real_ms).epsilon(0.2));
    CHECK(resumed[1].header.sequence == static_cast<std::uint16_t>(last.header.sequence + 2));
    CHECK(resumed[1].header.timestamp == resumed[0].header.timestamp + 160);
    CHECK_FALSE(resumed[1].header.marker);
    CHECK(running.statistics().packets_missed == 0);
}

TEST_CASE("a changed packet time begins a new segment at the next sequence number") {
    Running running;
    auto media = running.start();
    auto last = running.hear(4).back();
    media.ptime_ms = 40;
    media.codec = {.payload_type = 8, .name = "PCMA"};
    REQUIRE(running.engine->run(one, media, false));
    int changed = 0;
    while (changed < 3) {
        const auto next = *running.peer.receive();
        CHECK(next.header.sequence == static_cast<std::uint16_t>(last.header.sequence + 1));
        CHECK(static_cast<std::int32_t>(next.header.timestamp - last.header.timestamp) >= 160);
        if (next.header.payload_type == 8) {
            CHECK(next.payload == std::vector<std::uint8_t>(320, 0xd5));
            ++changed;
        }
        last = next;
    }
}

TEST_CASE("a muted session sends silence in place of its source") {
    Running running;
    auto media = running.start("tone:1000");
    CHECK(running.hear(2)[1].payload != std::vector<std::uint8_t>(160, 0xff));
    REQUIRE(running.engine->run(one, media, true));
    const std::vector<std::uint8_t> silence(160, 0xff);
    bool silent = false;
    for (int i = 0; i < 5 && !silent; ++i) {
        silent = running.peer.receive()->payload == silence;
    }
    CHECK(silent);
}

TEST_CASE("a tone goes on in phase over a restart") {
    Running running;
    auto media = running.start("tone:441");
    const auto before = running.hear(3).back();
    media.segment = *running.engine->segment(one);
    running.engine->detach();
    running.engine = make_engine(running.folder);
    REQUIRE(running.engine->open(one, "127.0.0.1", running.local.port));
    REQUIRE(running.engine->run(one, media, false));
    static_cast<void>(running.peer.drain());
    const auto after = *running.peer.receive();
    // One second of the tone from timestamp ts is the same as from ts + 8000 * k.
    Running reference;
    auto other = reference.start("tone:441");
    std::vector<std::uint8_t> second;
    for (const auto& packet : reference.hear(60)) {
        second.insert(second.end(), packet.payload.begin(), packet.payload.end());
    }
    const auto at = (after.header.timestamp - media.segment.ts) % 8000;
    REQUIRE(at + 160 <= second.size());
    CHECK(std::equal(after.payload.begin(), after.payload.end(), second.begin() + at));
    CHECK(static_cast<std::int32_t>(after.header.timestamp - before.header.timestamp) > 0);
    CHECK(running.statistics().packets_sent > 3); // goes on from the page
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

TEST_CASE("without its page a stream goes on by the clock and a second of numbers ahead") {
    Running running;
    auto media = running.start();
    const auto before = running.hear(5).back();
    media.segment = *running.engine->segment(one);
    running.engine->detach();
    std::ofstream{running.folder / "page", std::ios::trunc} << "garbage";
    running.engine = make_engine(running.folder);
    CHECK(::access((running.folder / "page.corrupt").c_str(), F_OK) == 0);
    static_cast<void>(running.peer.drain());
    REQUIRE(running.engine->open(one, "127.0.0.1", running.local.port));
    REQUIRE(running.engine->run(one, media, false));
    const auto after = *running.peer.receive();
    // Between the slots of both packets, whenever this thread has come to read them.
    const auto resumed = *running.engine->segment(one);
    const auto sent_before = static_cast<std::uint16_t>(before.header.sequence - media.segment.seq);
    const double passed_ms =
        static_cast<double>(resumed.boot_ns - media.segment.boot_ns) / 1e6 - 20.0 * sent_before;
    const auto ahead = static_cast<std::uint16_t>(resumed.seq - before.header.sequence);
    CHECK(ahead - 51 - passed_ms / 20 >= -2);
    CHECK(ahead - 51 - passed_ms / 20 <= 1);
    const auto ts_ms = static_cast<double>(resumed.ts - before.header.timestamp) / 8.0;
    CHECK(std::abs(ts_ms - passed_ms) <= 20);
    CHECK(static_cast<std::uint16_t>(after.header.sequence - resumed.seq) < 100);
    CHECK(after.header.timestamp - resumed.ts ==
          160U * static_cast<std::uint16_t>(after.header.sequence - resumed.seq));
}

TEST_CASE("a port is taken once, and free again after close") {
    Folder folder;
    const auto engine = make_engine(folder);
    const auto local = engine->open(1, "127.0.0.1", 0);
    REQUIRE(local);
    CHECK(local->port % 2 == 0);
    const auto second = engine->open(2, "127.0.0.1", local->port);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == base::Errc::in_use);
    CHECK(engine->open(1, "127.0.0.1", 0).error().code == base::Errc::in_use);
    const Peer peer;
    REQUIRE(engine->run(1, media_to(peer), false));
    engine->close(1);
    CHECK(engine->open(2, "127.0.0.1", local->port));
    CHECK(engine->open(3, "not an address", 0).error().code == base::Errc::bad_input);
    CHECK(engine->statistics(1).error().code == base::Errc::not_found);
    CHECK(engine->statistics(2).error().code == base::Errc::not_found);
    CHECK_FALSE(engine->segment(2));
}

TEST_CASE("closing says BYE over RTCP and detaching says nothing") {
    Running running;
    const Peer rtcp;
    auto media = media_to(running.peer);
    media.remote_rtcp = rtcp.endpoint();
    REQUIRE(running.engine->open(one, "127.0.0.1", 0));
    REQUIRE(running.engine->run(one, media, false));
    running.hear(2);
    SUBCASE("close") {
        running.engine->close(one);
        const auto bytes = rtcp.receive_bytes();
        REQUIRE(bytes);
        const auto news = parse_rtcp(*bytes, 0);
        REQUIRE(news);
        CHECK(news->bye);
        CHECK(news->ssrc == media.ssrc);
        REQUIRE(news->sender);
        CHECK(news->sender->packets >= 2);
    }
    SUBCASE("detach") {
        running.engine->detach();
        CHECK_FALSE(rtcp.receive_bytes(50));
    }
}

TEST_CASE("a file that is gone is reported and the call goes on with silence") {
    Running running;
    std::string trouble;
    running.engine->on_trouble = [&](call::Number, const std::string& text) { trouble = text; };
    running.start("file:/nowhere/at/all.wav", "file:/nowhere/at/all/out.wav");
    CHECK(running.hear(1)[0].payload == std::vector<std::uint8_t>(160, 0xff));
    CHECK(eventually([&] { return !trouble.empty(); }));
}

TEST_CASE("what cannot be run is refused with a reason") {
    Running running;
    auto media = running.start();
    auto bad = media;
    bad.codec.name = "opus";
    CHECK(running.engine->run(one, bad, false).error().code == base::Errc::unsupported);
    bad = media;
    bad.ptime_ms = 25;
    CHECK(running.engine->run(one, bad, false).error().code == base::Errc::unsupported);
    bad = media;
    bad.remote.address = "example.org";
    CHECK(running.engine->run(one, bad, false).error().code == base::Errc::bad_input);
    bad = media;
    ++bad.ssrc;
    CHECK(running.engine->run(one, bad, false).error().code == base::Errc::not_now);
    CHECK(running.engine->run(9, media, false).error().code == base::Errc::not_found);
}

TEST_CASE("sockets of an earlier process are adopted with what waits in them") {
    Running running;
    auto media = running.start();
    running.hear(2);
    const auto numbers = running.engine->sockets(one);
    REQUIRE(numbers);
    base::Fd rtp{::dup(numbers->rtp)};
    base::Fd rtcp{::dup(numbers->rtcp)};
    media.segment = *running.engine->segment(one);
    running.engine->detach();
    running.engine.reset();
    for (std::uint16_t i = 0; i < 30; ++i) {
        running.peer.send_rtp(running.local, i);
    }
    running.engine = make_engine(running.folder);
    const auto local = running.engine->adopt(one, std::move(rtp), std::move(rtcp));
    REQUIRE(local);
    CHECK(*local == running.local);
    REQUIRE(running.engine->run(one, media, false));
    CHECK(eventually([&] { return running.statistics().packets_received == 30; }));
    CHECK(running.statistics().packets_lost == 0);
}
