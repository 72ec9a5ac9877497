// The module's reason to be: processes that send are killed at random instants, and the peer must
// not be able to tell from the numbers.
#include <algorithm>
#include <csignal>
#include <limits>
#include <map>
#include <random>
#include <unordered_set>

#include <sys/wait.h>

#include "media/rtp/numbering.hpp"
#include "unit/fakes/media_peer.hpp"

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

struct Packet {
    RtpHeader header;
    std::int64_t born_ns = 0;  // when the process that sent it began
    std::int64_t heard_ns = 0; // so it was sent between the two
};

using Stream = std::vector<Packet>;

// Sequence numbers strictly grow (modulo their wrap).
void check_numbers(const Stream& stream, std::uint32_t step) {
    std::unordered_set<std::uint16_t> seen;
    for (std::size_t i = 0; i < stream.size(); ++i) {
        const RtpHeader& header = stream[i].header;
        CHECK_MESSAGE(seen.insert(header.sequence).second, "sequence number sent twice");
        if (i == 0) {
            continue;
        }
        const RtpHeader& before = stream[i - 1].header;
        const auto seq_step = static_cast<std::int16_t>(header.sequence - before.sequence);
        const auto ts_step = static_cast<std::int32_t>(header.timestamp - before.timestamp);
        CHECK(seq_step > 0);
        CHECK(ts_step >= static_cast<std::int32_t>(step) * seq_step);
    }
}

// One clock fits all timestamps: it shows none before its time, and none too late.
void check_clock(const Stream& stream, std::uint32_t step) {
    // A process that wakes up late makes up for at most so many packets.
    constexpr std::int64_t burst_max = 6;
    const std::int64_t late_ns = burst_max * step * 125'000 + grid_ns;
    std::int64_t earliest = std::numeric_limits<std::int64_t>::min(); // the clock, less ours
    std::int64_t latest = std::numeric_limits<std::int64_t>::max();
    for (const Packet& packet : stream) {
        const auto told_ns =
            std::int64_t{packet.header.timestamp - stream.front().header.timestamp} * 125'000;
        earliest = std::max(earliest, told_ns - packet.heard_ns);
        latest = std::min(latest, told_ns - packet.born_ns + late_ns);
    }
    CHECK(earliest <= latest);
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
    std::vector<std::uint64_t> lost;
    for (int round = 0; round < kills; ++round) {
        const unsigned seed = static_cast<unsigned>(random());
        ::usleep(static_cast<useconds_t>(random() % 40'000)); // the outage
        const auto born = base::read_clock().boot_ns;
        const pid_t child = ::fork();
        if (child == 0) {
            live(folder / "page", lives, seed, holds);
        }
        REQUIRE(child > 0);
        const auto end = born + 30'000'000 + static_cast<std::int64_t>(random() % 90'000'000);
        std::uint64_t lost_here = 0;
        while (base::read_clock().boot_ns < end) {
            const auto heard = peer.receive(5);
            if (!heard) {
                continue;
            }
            auto& packets = streams[heard->header.ssrc];
            if (!packets.empty()) {
                lost_here += static_cast<std::uint16_t>(heard->header.sequence -
                                                        packets.back().header.sequence - 1);
            }
            packets.push_back({heard->header, born, heard->at.boot_ns});
        }
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE_MESSAGE(WIFSIGNALED(status), "the child ended by itself: " << WEXITSTATUS(status));
        lost.push_back(lost_here);
        for (const auto& heard : peer.drain()) {
            streams[heard.header.ssrc].push_back({heard.header, born, heard.at.boot_ns});
        }
    }
    REQUIRE(streams.size() == calls);
    for (const auto& life : lives) {
        const Stream& stream = streams[life.media.ssrc];
        REQUIRE(stream.size() > 50);
        check_numbers(stream, life.media.ptime_ms * 8);
        check_clock(stream, life.media.ptime_ms * 8);
        // RFC 3551 §4.1: a restart is no new talkspurt.
        CHECK((holds || std::none_of(stream.begin() + 1, stream.end(),
                                     [](const Packet& packet) { return packet.header.marker; })));
    }
    std::ranges::sort(lost);
    MESSAGE("packets lost per kill over " << calls << " calls, median: " << lost[lost.size() / 2]
                                          << ", highest: " << lost.back());
}
