// WAV files as others write them, and what of them is read.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "media/audio/wav_reader.hpp"

namespace revenant::media::test {

inline std::vector<std::uint8_t> wav(std::uint16_t tag,
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

inline void store(const std::string& path, const std::vector<std::uint8_t>& bytes) {
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    for (const auto octet : bytes) {
        file.put(static_cast<char>(octet));
    }
}

inline std::vector<std::int16_t>
samples_of(const std::string& path, std::uint64_t from, std::size_t count) {
    auto reader = WavReader::open(path);
    REQUIRE_MESSAGE(reader, (reader ? "" : reader.error().context));
    std::vector<std::int16_t> pcm(count, 99);
    CHECK(reader->read(from, pcm));
    return pcm;
}

} // namespace revenant::media::test
