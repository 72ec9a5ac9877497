// The module's reason to be: processes that send are killed at random instants, and the peer must
// not be able to tell from the numbers.
#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <unordered_set>

#include <sys/wait.h>

#include "media_peer.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;

namespace {

constexpr int calls = 12;
constexpr int kills = 50;

struct Life {
    call::Media media;
    std::uint16_t port = 0; // of the first process, taken again by the later ones
};

// What a restarted phone does with its media; with `holds`, some calls are held and resumed at
// random all the time, so that kills fall into changes of segment too.
[[noreturn]] void
live(const std::string& page, const std::vector<Life>& lives, unsigned seed, bool holds) {
    auto engine = Engine::create({.page_path = page});
    if (!engine) {
        ::_exit(2);
    }
    for (int i = 0; i < calls; ++i) {
        const auto& life = lives[static_cast<std::size_t>(i)];
        const auto number = static_cast<call::Number>(i + 1);
        if (!(*engine)->open(number, "127.0.0.1", life.port) ||
            !(*engine)->run(number, life.media, false)) {
            ::_exit(3);
        }
    }
    std::minstd_rand random{seed};
    for (;;) {
        if (!holds) {
            ::pause();
        }
        const auto i = random() % (calls / 2);
        auto media = lives[i].media;
        media.direction = random() % 2 == 0 ? call::Direction::recvonly : call::Direction::sendrecv;
        static_cast<void>((*engine)->run(static_cast<call::Number>(i + 1), media, false));
        ::usleep(static_cast<useconds_t>(random() % 15'000));
    }
}

struct Stream {
    std::vector<Heard> packets;
};

// Sequence numbers strictly grow (modulo their wrap), and timestamps tell the time.
void check_stream(const Stream& stream, std::uint32_t step) {
    std::unordered_set<std::uint16_t> seen;
    std::vector<double> lag_ms;
    for (std::size_t i = 0; i < stream.packets.size(); ++i) {
        const auto& packet = stream.packets[i];
        CHECK_MESSAGE(seen.insert(packet.header.sequence).second, "sequence number sent twice");
        const auto& first = stream.packets.front();
        lag_ms.push_back(static_cast<double>(packet.at.boot_ns - first.at.boot_ns) / 1e6 -
                         static_cast<double>(packet.header.timestamp - first.header.timestamp) /
                             8.0);
        if (i == 0) {
            continue;
        }
        const auto& before = stream.packets[i - 1];
        const auto seq_step =
            static_cast<std::int16_t>(packet.header.sequence - before.header.sequence);
        const auto ts_step =
            static_cast<std::int32_t>(packet.header.timestamp - before.header.timestamp);
        CHECK(seq_step > 0);
        CHECK(ts_step >= static_cast<std::int32_t>(step) * seq_step);
    }
    // Never before its time by more than the grid and our own delay in reading; in time as a rule.
    std::ranges::sort(lag_ms);
    const double usual = lag_ms[lag_ms.size() / 10];
    CHECK(lag_ms.front() > usual - 12.0);
    CHECK(lag_ms[lag_ms.size() / 2] < usual + 12.0);
}

} // namespace

TEST_CASE("fifty kills: no number twice, none backwards, timestamps by the clock") {
    bool holds = false;
    SUBCASE("calls that send all the time") {}
    SUBCASE("calls that are held and resumed at random") {
        holds = true;
    }

    const Folder folder;
    const Peer peer;
    std::vector<Life> lives;
    for (int i = 0; i < calls; ++i) {
        Life life;
        life.media = media_to(peer, i % 2 == 0 ? "silence" : "tone:500");
        life.media.ptime_ms = i % 3 == 0 ? 20 : 10;
        life.port = static_cast<std::uint16_t>(31000 + 2 * i + (holds ? 100 : 0));
        lives.push_back(life);
    }
    std::map<std::uint32_t, Stream> streams;
    std::minstd_rand random{20091};
    std::size_t markers = 0;
    std::vector<std::uint64_t> lost;
    for (int round = 0; round < kills; ++round) {
        const unsigned seed = static_cast<unsigned>(random());
        const pid_t child = ::fork();
        if (child == 0) {
            live(folder / "page", lives, seed, holds);
        }
        REQUIRE(child > 0);
        const auto end = base::read_clock().boot_ns + 30'000'000 +
                         static_cast<std::int64_t>(random() % 90'000'000);
        std::uint64_t lost_here = 0;
        while (base::read_clock().boot_ns < end) {
            const auto heard = peer.receive(5);
            if (!heard) {
                continue;
            }
            markers += heard->header.marker ? 1U : 0U;
            auto& packets = streams[heard->header.ssrc].packets;
            if (!packets.empty()) {
                lost_here += static_cast<std::uint16_t>(heard->header.sequence -
                                                        packets.back().header.sequence - 1);
            }
            packets.push_back(*heard);
        }
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE_MESSAGE(WIFSIGNALED(status), "the child ended by itself: " << WEXITSTATUS(status));
        lost.push_back(lost_here);
        for (auto& heard : peer.drain()) {
            streams[heard.header.ssrc].packets.push_back(heard);
        }
    }
    REQUIRE(streams.size() == calls);
    for (const auto& life : lives) {
        REQUIRE(streams[life.media.ssrc].packets.size() > 50);
        check_stream(streams[life.media.ssrc], life.media.ptime_ms * 8);
    }
    if (!holds) {
        CHECK(markers == calls); // only the first packet of each stream carries it
    }
    std::ranges::sort(lost);
    MESSAGE("packets lost per kill over " << calls << " calls, median: " << lost[lost.size() / 2]
                                          << ", highest: " << lost.back());
}
