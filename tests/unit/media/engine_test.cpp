// What a call sends, and over what: pace, numbers, holds, restarts, ports.
#include <cmath>
#include <fstream>
#include <utility>
#include <vector>

#include "media/rtp/numbering.hpp"
#include "media/rtp/page.hpp"
#include "media/rtp/rtcp.hpp"
#include "unit/fakes/media_peer.hpp"
#include "unit/fakes/running_engine.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;

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
