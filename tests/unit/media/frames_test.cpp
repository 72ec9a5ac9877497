#include <algorithm>
#include <fstream>

#include "media/audio/codec.hpp"
#include "media/audio/concealer.hpp"
#include "media/audio/sources_and_sinks.hpp"
#include "media/audio/wav_reader.hpp"
#include "media/wheel.hpp"
#include "unit/fakes/media_peer.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;

TEST_CASE("sources and sinks are known by their names and wrong ones are explained") {
    for (const auto* good : {"silence", "tone", "tone:1", "tone:3999", "echo"}) {
        CHECK(check_source(good));
    }
    for (const auto* bad : {"tone:0", "tone:4000", "tone:x", "tone:", "file:", "file:/none.wav",
                            "file:/etc/passwd", "file:/", "noise", "\x1b[2J"}) {
        const auto status = check_source(bad);
        REQUIRE_FALSE(status);
        CHECK(status.error().context.find('\x1b') == std::string::npos);
    }
    const Folder folder;
    CHECK(check_sink("null"));
    CHECK(check_sink("file:" + (folder / "new.wav")));
    CHECK(::access((folder / "new.wav").c_str(), F_OK) != 0); // asking makes nothing
    CHECK_FALSE(check_sink("file:/no/such/folder/a.wav"));
    CHECK_FALSE(check_sink("file:/tmp"));
    CHECK_FALSE(check_sink("speaker"));
    CHECK(supported_codecs().size() == 2);
}

TEST_CASE("a tone's encoded frames are its samples encoded, at every position") {
    auto tone = open_source("tone:437").value();
    for (const CodecRow& codec : codec_table()) {
        for (std::uint64_t position = 0; position < 20'000; position += 773) {
            std::array<std::int16_t, 160> pcm{};
            std::array<std::uint8_t, 160> wanted{};
            std::array<std::uint8_t, 160> ready{};
            CHECK(tone->read(position, pcm) == 0);
            codec.encode(pcm, wanted);
            CHECK(tone->encoded(codec, position, ready));
            CHECK(ready == wanted);
        }
    }
}

TEST_CASE("G.711 keeps every octet over decoding and encoding") {
    for (const CodecRow& codec : codec_table()) {
        for (int i = 0; i < 256; ++i) {
            const auto octet = static_cast<std::uint8_t>(i);
            std::int16_t pcm = 0;
            std::uint8_t again = 0;
            codec.decode({&octet, 1}, {&pcm, 1});
            codec.encode({&pcm, 1}, {&again, 1});
            // Minus zero of u-law comes back as plus zero.
            CHECK((again == octet || (codec.name == "PCMU" && octet == 0x7f && again == 0xff)));
        }
        std::int16_t silent = 1;
        codec.decode({&codec.silence, 1}, {&silent, 1});
        CHECK(std::abs(silent) <= 8);
    }
    CHECK(find_codec({.payload_type = 0, .name = "pcmu"}) != nullptr);
    CHECK(find_codec({.payload_type = 0, .name = "PCMU", .clock_rate = 16'000}) == nullptr);
}

TEST_CASE("concealment repeats what was heard and fades to silence") {
    Concealer concealer;
    auto tone = open_source("tone:200").value();
    std::array<std::int16_t, 160> pcm{};
    for (std::uint64_t i = 0; i < 10; ++i) {
        CHECK(tone->read(i * 160, pcm) == 0);
        concealer.heard(pcm);
    }
    const auto loudest = [&] {
        int highest = 0;
        for (const auto sample : pcm) {
            highest = std::max(highest, std::abs(int{sample}));
        }
        return highest;
    };
    concealer.fill(pcm);
    CHECK(loudest() > 2000);
    for (int i = 0; i < 4; ++i) {
        concealer.fill(pcm);
    }
    CHECK(loudest() == 0);
}

TEST_CASE("a call's sound is recorded with its losses in the right place, over a restart too") {
    const Folder folder;
    const Peer peer;
    const auto path = folder / "call.wav";
    auto engine = make_engine(folder);
    const auto local = engine->open(1, "127.0.0.1", 0).value();
    auto media = media_to(peer, "silence", "file:" + path);
    REQUIRE(engine->run(1, media, false));
    const auto began = base::read_clock();
    std::uint32_t last = 0; // the timestamp of the packet that we have sent last
    const auto talk = [&](std::uint16_t from, std::uint16_t count) {
        for (std::uint16_t i = from; i < from + count; ++i) {
            peer.send_rtp(local, i, 0x20);
            const auto heard = peer.receive(); // our packets are the clock
            REQUIRE(heard);
            last = heard->header.timestamp;
        }
    };
    talk(0, 20);
    media.segment = *engine->segment(1);
    engine->detach();
    engine = make_engine(folder);
    REQUIRE(engine->open(1, "127.0.0.1", local.port));
    REQUIRE(engine->run(1, media, false));
    static_cast<void>(peer.drain());
    talk(20, 20);
    engine->detach();
    const auto wall_ms = static_cast<double>(base::read_clock().boot_ns - began.boot_ns) / 1e6;
    auto reader = WavReader::open(path);
    REQUIRE(reader);
    const auto recorded_ms = static_cast<double>(reader->format().data_octets) / 16.0;
    CHECK(recorded_ms > static_cast<double>(last - media.segment.ts) / 8.0 - 60.0);
    CHECK(recorded_ms < wall_ms + 40.0);
    std::vector<std::int16_t> pcm(reader->format().data_octets / 2);
    CHECK(reader->read(0, pcm));
    std::int16_t loud = 0;
    const std::uint8_t octet = 0x20;
    find_codec(media.codec)->decode({&octet, 1}, {&loud, 1});
    CHECK(std::ranges::count(pcm, loud) > 30 * 160);
}

TEST_CASE("a file source plays from the position that the clock says, over a restart") {
    const Folder folder;
    const Peer peer;
    const auto path = folder / "in.wav";
    {
        // Each 20 ms have a value of their own that A-law keeps: the decoded octets.
        const auto writer = open_sink("file:" + path, Continue::no).value();
        for (int i = 0; i < 200; ++i) {
            const auto octet = static_cast<std::uint8_t>(i);
            std::int16_t pcm = 0;
            codec_table()[0].decode({&octet, 1}, {&pcm, 1});
            CHECK(writer->write(std::vector<std::int16_t>(160, pcm)) == 0);
        }
    }
    auto engine = make_engine(folder);
    const auto local = engine->open(1, "127.0.0.1", 0).value();
    auto media = media_to(peer, "file:" + path);
    media.codec = {.payload_type = 8, .name = "PCMA"};
    REQUIRE(engine->run(1, media, false));
    const auto expect = [&](const Heard& heard) {
        const auto slot = (heard.header.timestamp - media.segment.ts) / 160;
        CHECK(heard.payload == std::vector<std::uint8_t>(160, static_cast<std::uint8_t>(slot)));
    };
    const std::uint32_t origin = media.segment.ts;
    for (int i = 0; i < 10; ++i) {
        expect(*peer.receive());
    }
    media.segment = *engine->segment(1);
    CHECK(media.segment.ts == origin);
    engine->detach();
    engine = make_engine(folder);
    REQUIRE(engine->open(1, "127.0.0.1", local.port));
    REQUIRE(engine->run(1, media, false));
    for (const auto& heard : peer.drain()) {
        expect(heard);
    }
    for (int i = 0; i < 10; ++i) {
        expect(*peer.receive());
    }
}

namespace {

struct Item {
    Item* wheel_next = nullptr;
    Item* wheel_previous = nullptr;
    std::int64_t wheel_tick = 0;
};

} // namespace

TEST_CASE("the wheel knows the next occupied tick and forgets what was taken out") {
    Wheel<Item> wheel;
    Item a;
    Item b;
    Item c;
    CHECK_FALSE(wheel.next_tick(5));
    wheel.insert(&a, 70);
    wheel.insert(&b, 70);
    wheel.insert(&c, 66);
    CHECK(wheel.next_tick(64) == 66);
    wheel.remove(&c);
    CHECK(wheel.next_tick(64) == 70);
    wheel.remove(&a);
    CHECK(wheel.take(70) == &b);
    CHECK_FALSE(wheel.next_tick(71));
}
