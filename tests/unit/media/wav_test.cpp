#include <bit>
#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <limits>
#include <numbers>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "media/audio/wav_reader.hpp"
#include "media/audio/wav_writer.hpp"
#include "unit/fakes/media_peer.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;
using Begin = WavWriter::Begin;

namespace {

// libsndfile, if this machine has it, as the reader that is not ours. Loaded by hand, since the
// program itself does not link it; this much of its ABI has not changed since version 1.0.
struct Sndfile {
    struct Info {
        std::int64_t frames;
        int rate, channels, format, sections, seekable;
    };

    void* library = ::dlopen("libsndfile.so.1", RTLD_NOW | RTLD_LOCAL);

    template <typename F>
    F function(const char* name) const {
        return reinterpret_cast<F>(::dlsym(library, name)); // NOLINT
    }

    // The number of samples that it reads; -1 if it refuses the file.
    [[nodiscard]] std::int64_t count(const std::string& path) const {
        Info info{};
        void* file =
            function<void* (*)(const char*, int, Info*)>("sf_open")(path.c_str(), 0x10, &info);
        if (file == nullptr || info.rate != 8000 || info.channels != 1) {
            return -1;
        }
        std::vector<std::int16_t> pcm(static_cast<std::size_t>(info.frames));
        const auto got = function<std::int64_t (*)(void*, std::int16_t*, std::int64_t)>(
            "sf_readf_short")(file, pcm.data(), info.frames);
        function<int (*)(void*)>("sf_close")(file);
        for (std::size_t i = 0; i < pcm.size(); ++i) {
            if (pcm[i] != static_cast<std::int16_t>(i)) {
                return -1;
            }
        }
        return got == info.frames ? got : -1;
    }
};

std::uint32_t bits_of(float value) {
    return std::bit_cast<std::uint32_t>(value);
}

std::vector<std::uint8_t> little_endian(std::initializer_list<std::uint64_t> values, int octets) {
    std::vector<std::uint8_t> out;
    for (const std::uint64_t value : values) {
        for (int i = 0; i < octets; ++i) {
            out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        }
    }
    return out;
}

// A second of a sine of -6 dB, 16 bits.
std::vector<std::uint8_t> sine(std::uint32_t rate, double hz) {
    std::vector<std::uint8_t> data;
    for (std::uint32_t i = 0; i < rate; ++i) {
        const double turns = i * hz / rate;
        const auto sample =
            static_cast<std::int16_t>(16'384 * std::sin(2 * std::numbers::pi * turns));
        data.push_back(static_cast<std::uint8_t>(sample));
        data.push_back(static_cast<std::uint8_t>(sample >> 8));
    }
    return data;
}

// Root mean square of the middle of it.
double loudness(const std::vector<std::int16_t>& pcm) {
    double sum = 0;
    for (std::size_t i = 1000; i < 7000; ++i) {
        sum += double{static_cast<double>(pcm[i])} * pcm[i];
    }
    return std::sqrt(sum / 6000);
}

// The sample at position i is i.
void write_ramp(WavWriter& writer, std::size_t count) {
    std::vector<std::int16_t> pcm(count);
    for (std::size_t i = 0; i < count; ++i) {
        pcm[i] = static_cast<std::int16_t>(writer.samples() + i);
    }
    REQUIRE(writer.write(pcm));
}

void check_valid(const std::string& path, std::int64_t at_least) {
    struct stat status {};

    REQUIRE(::stat(path.c_str(), &status) == 0);
    std::ifstream file{path, std::ios::binary};
    std::vector<char> text(44);
    REQUIRE(file.read(text.data(), 44));
    std::vector<std::uint8_t> head(text.begin(), text.end());
    CHECK(std::memcmp(head.data(), "RIFF", 4) == 0);
    CHECK(le32(head, 4) == le32(head, 40) + 36);
    CHECK(le32(head, 40) + 44 <= status.st_size); // the header promises nothing that is not there
    CHECK(le32(head, 40) / 2 >= at_least);
    const auto reader = WavReader::open(path);
    REQUIRE(reader);
    CHECK(reader->format().data_octets == le32(head, 40));
    static const Sndfile sndfile;
    if (sndfile.library != nullptr) {
        CHECK(sndfile.count(path) >= at_least);
    }
}

std::vector<std::uint8_t> wav(std::uint16_t tag,
                              std::uint16_t channels,
                              std::uint32_t rate,
                              std::uint16_t bits,
                              const std::vector<std::uint8_t>& data,
                              const std::string& before = {}) {
    std::vector<std::uint8_t> out;
    const auto text = [&](std::string_view t) { out.insert(out.end(), t.begin(), t.end()); };
    const auto number = [&](std::uint32_t value, int octets) {
        for (int i = 0; i < octets; ++i) {
            out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        }
    };
    text("RIFF");
    number(0, 4);
    text("WAVE");
    text(before);
    text("fmt ");
    number(16, 4);
    number(tag, 2);
    number(channels, 2);
    number(rate, 4);
    number(0, 4);
    number(0, 2);
    number(bits, 2);
    text("data");
    number(static_cast<std::uint32_t>(data.size()), 4);
    out.insert(out.end(), data.begin(), data.end());
    return out;
}

void store(const std::string& path, const std::vector<std::uint8_t>& bytes) {
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    for (const auto octet : bytes) {
        file.put(static_cast<char>(octet));
    }
}

std::vector<std::int16_t>
samples_of(const std::string& path, std::uint64_t from, std::size_t count) {
    auto reader = WavReader::open(path);
    REQUIRE_MESSAGE(reader, (reader ? "" : reader.error().context));
    std::vector<std::int16_t> pcm(count, 99);
    CHECK(reader->read(from, pcm));
    return pcm;
}

} // namespace

TEST_CASE("a recording is a valid WAV after every frame, and whole after the end") {
    const Folder folder;
    const auto path = folder / "a.wav";
    {
        auto writer = WavWriter::open(path, Begin::anew);
        REQUIRE(writer);
        check_valid(path, 0);
        for (int i = 1; i <= 200; ++i) {
            write_ramp(*writer, 160);
            check_valid(path, i * 160 - 8000); // the header is less than a second behind
        }
    }
    check_valid(path, 200 * 160);
}

TEST_CASE("a recording is valid after SIGKILL, and goes on with nothing lost") {
    const Folder folder;
    const auto path = folder / "a.wav";
    std::uint64_t before = 0;
    off_t size = 0;
    for (int round = 0; round < 30; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto writer = WavWriter::open(path, Begin::append);
            while (writer && writer->samples() < 100'000'000) {
                std::vector<std::int16_t> pcm(160);
                for (std::size_t i = 0; i < pcm.size(); ++i) {
                    pcm[i] = static_cast<std::int16_t>(writer->samples() + i);
                }
                if (!writer->write(pcm)) {
                    ::_exit(1);
                }
            }
            ::_exit(1);
        }
        // At some instant after it has written more than its predecessor.
        const auto has_grown = [&] {
            struct stat now {};
            return ::stat(path.c_str(), &now) == 0 && now.st_size > size;
        };
        for (int wait_ms = 0; wait_ms < 10'000 && !has_grown(); ++wait_ms) {
            ::usleep(1000);
        }
        ::usleep(static_cast<useconds_t>(round) * 53);
        REQUIRE(::kill(child, SIGKILL) == 0);
        REQUIRE(::waitpid(child, nullptr, 0) == child);

        struct stat after {};

        REQUIRE(::stat(path.c_str(), &after) == 0);
        CHECK(after.st_size > size);
        size = after.st_size;
        check_valid(path, static_cast<std::int64_t>(before) - 8000);
        const auto writer = WavWriter::open(path, Begin::append);
        REQUIRE(writer);
        CHECK(writer->samples() >= before);
        before = writer->samples();
    }
    CHECK(before > 0);
    check_valid(path, static_cast<std::int64_t>(before)); // and the ramp has no seam
}

TEST_CASE("the time in which nobody recorded is silence") {
    const Folder folder;
    const auto path = folder / "a.wav";
    {
        auto writer = WavWriter::open(path, Begin::anew);
        REQUIRE(writer);
        REQUIRE(writer->write(std::vector<std::int16_t>(1600, 7)));
    }
    timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {}};
    ::clock_gettime(CLOCK_REALTIME, &times[1]);
    times[1].tv_sec -= 2;
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    std::uint64_t gap = 0;
    {
        auto writer = WavWriter::open(path, Begin::append_timed);
        REQUIRE(writer);
        gap = writer->samples() - 1600;
        CHECK(gap >= 16'000);
        CHECK(gap < 18'000);
        REQUIRE(writer->write(std::vector<std::int16_t>(160, 8)));
    }
    CHECK(samples_of(path, 1599, 2) == std::vector<std::int16_t>{7, 0});
    CHECK(samples_of(path, 1600 + gap - 1, 2) == std::vector<std::int16_t>{0, 8});
}

TEST_CASE("a file that is not our recording is not appended to, and one that is open is locked") {
    const Folder folder;
    const auto path = folder / "a.wav";
    store(path, wav(1, 2, 44'100, 16, {1, 2, 3, 4}));
    CHECK(WavWriter::open(path, Begin::append).error().code == base::Errc::bad_input);
    store(path, {1, 2, 3});
    CHECK(WavWriter::open(path, Begin::append_timed).error().code == base::Errc::bad_input);
    const auto writer = WavWriter::open(path, Begin::anew);
    REQUIRE(writer);
    CHECK(WavWriter::open(path, Begin::append).error().code == base::Errc::in_use);
    CHECK(WavWriter::open(folder / "no/such/folder.wav", Begin::anew).error().code ==
          base::Errc::io);
    CHECK(WavWriter::open("/dev/null", Begin::anew).error().code == base::Errc::bad_input);
}

TEST_CASE("WAV files of every form that we read sound the same") {
    const Folder folder;
    const auto path = folder / "a.wav";
    SUBCASE("16 bit") {
        store(path, wav(1, 1, 8000, 16, {0x00, 0x10, 0x00, 0xf0}));
    }
    SUBCASE("16 bit stereo") {
        store(path, wav(1, 2, 8000, 16, {0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0}));
    }
    SUBCASE("8 bit") {
        store(path, wav(1, 1, 8000, 8, {0x90, 0x70}));
    }
    SUBCASE("16 bit, four channels") {
        store(path, wav(1, 4, 8000, 16, little_endian({0x4000, 0, 0, 0, 0, 0xe000, 0xe000, 0}, 2)));
    }
    SUBCASE("24 bit") {
        store(path, wav(1, 1, 8000, 24, little_endian({0x1000ff, 0xf00000}, 3)));
    }
    SUBCASE("32 bit") {
        store(path, wav(1, 1, 8000, 32, little_endian({0x1000ffff, 0xf0000000}, 4)));
    }
    SUBCASE("floating point") {
        store(path, wav(3, 1, 8000, 32,
                        little_endian({bits_of(4096.0F / 32767), bits_of(-4096.0F / 32767)}, 4)));
    }
    SUBCASE("floating point of 64 bits") {
        store(path, wav(3, 1, 8000, 64,
                        little_endian({std::bit_cast<std::uint64_t>(4096.0 / 32767),
                                       std::bit_cast<std::uint64_t>(-4096.0 / 32767)},
                                      8)));
    }
    SUBCASE("behind another chunk of odd size") {
        store(path, wav(1, 1, 8000, 16, {0x00, 0x10, 0x00, 0xf0},
                        std::string{"LIST\x03\0\0\0abc\0", 12}));
    }
    CHECK(samples_of(path, 0, 4) == std::vector<std::int16_t>{4096, -4096, 0, 0});
    CHECK(samples_of(path, 1, 2) == std::vector<std::int16_t>{-4096, 0});
    CHECK(samples_of(path, std::uint64_t{1} << 40U, 2) == std::vector<std::int16_t>{0, 0});
}

TEST_CASE("floating point beyond full scale is cut, and what is no number is silent") {
    const Folder folder;
    const auto path = folder / "a.wav";
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    store(path,
          wav(3, 1, 8000, 32,
              little_endian({bits_of(1e30F), bits_of(-7.0F), bits_of(nan), bits_of(infinity)}, 4)));
    CHECK(samples_of(path, 0, 4) == std::vector<std::int16_t>{32'767, -32'767, 0, 0});
}

TEST_CASE("what is above 4 kHz does not come back as something else, and what is below stays") {
    const Folder folder;
    const auto path = folder / "a.wav";
    const double whole = 16'384 / std::numbers::sqrt2;
    for (const std::uint32_t rate : {16'000U, 22'050U, 44'100U, 48'000U, 192'000U, 37'001U}) {
        CAPTURE(rate);
        for (const double hz : {300.0, 1000.0, 3000.0}) {
            CAPTURE(hz);
            store(path, wav(1, 1, rate, 16, sine(rate, hz)));
            CHECK(loudness(samples_of(path, 0, 8000)) == doctest::Approx(whole).epsilon(0.03));
        }
        for (const double hz : {4800.0, 6000.0, 7000.0}) {
            CAPTURE(hz);
            store(path, wav(1, 1, rate, 16, sine(rate, hz)));
            CHECK(loudness(samples_of(path, 0, 8000)) < whole / 100); // -40 dB
        }
    }
    store(path, wav(1, 1, 4001, 16, sine(4001, 1000)));
    CHECK(loudness(samples_of(path, 0, 8000)) == doctest::Approx(whole).epsilon(0.03));
}

TEST_CASE("G.711 in a WAV is decoded") {
    const Folder folder;
    const auto path = folder / "a.wav";
    store(path, wav(7, 1, 8000, 8, {0xff, 0x00}));
    CHECK(samples_of(path, 0, 2) == std::vector<std::int16_t>{0, -32'124});
    store(path, wav(6, 1, 8000, 8, {0xd5, 0xaa}));
    CHECK(samples_of(path, 0, 2) == std::vector<std::int16_t>{8, 32'256});
}

TEST_CASE("a long WAV reads the same in one piece and from any position") {
    const Folder folder;
    const auto path = folder / "a.wav";
    std::vector<std::uint8_t> data(60'000);
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<std::uint8_t>(i * i >> 3U);
    }
    std::uint32_t rate = 0;
    std::uint16_t channels = 1;
    SUBCASE("11025") {
        rate = 11'025;
    }
    SUBCASE("44100 stereo") {
        rate = 44'100;
        channels = 2;
    }
    SUBCASE("192000 stereo") {
        rate = 192'000;
        channels = 2;
    }
    SUBCASE("4000") {
        rate = 4000;
    }
    store(path, wav(1, channels, rate, 16, data));
    const auto whole = samples_of(path, 0, 1000);
    for (std::size_t from = 0; from < 900; from += 37) {
        const auto part = samples_of(path, from, 100);
        CHECK(std::equal(part.begin(), part.end(),
                         whole.begin() + static_cast<std::ptrdiff_t>(from)));
    }
}

TEST_CASE("WAV headers that lie are refused or bounded by the file") {
    const std::vector<std::uint8_t> data(100, 1);
    const auto good = wav(1, 1, 8000, 16, data);
    CHECK(parse_wav(good, good.size())->data_octets == 100);
    auto huge = good;
    put_le32(huge, 40, 0xffffffff);
    CHECK(parse_wav(huge, huge.size())->data_octets == 100);
    CHECK(parse_wav(huge, 10)->data_octets == 0);
    for (std::size_t length = 0; length < 44; ++length) {
        CHECK_FALSE(parse_wav(Bytes{good}.first(length), length));
    }
    CHECK_FALSE(parse_wav(wav(1, 0, 8000, 16, data), 144));
    CHECK_FALSE(parse_wav(wav(1, 9, 8000, 16, data), 144));
    CHECK_FALSE(parse_wav(wav(1, 1, 0, 16, data), 144));
    CHECK_FALSE(parse_wav(wav(1, 1, 0xffffffff, 16, data), 144));
    CHECK_FALSE(parse_wav(wav(1, 1, 8000, 12, data), 144));
    CHECK_FALSE(parse_wav(wav(3, 1, 8000, 16, data), 144));
    CHECK_FALSE(parse_wav(wav(2, 1, 8000, 4, data), 144));
    auto endless = good;
    put_le32(endless, 16, 0xffffffff); // the format chunk's size
    CHECK_FALSE(parse_wav(endless, endless.size()));
}
