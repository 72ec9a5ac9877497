// WAV files of every form that is read, and those that lie.
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "media/audio/wav_reader.hpp"
#include "unit/fakes/media_peer.hpp"
#include "unit/fakes/wav_files.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;

namespace {

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

} // namespace

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
