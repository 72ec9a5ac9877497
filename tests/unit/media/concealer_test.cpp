#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>

#include <doctest/doctest.h>

#include "media/audio/concealer.hpp"

using revenant::media::Concealer;

namespace {

using Piece = std::array<std::int16_t, 80>; // 10 ms

Piece tone_from(int first) {
    Piece piece{};
    for (int i = 0; i < 80; ++i) {
        const double phase = 2 * std::numbers::pi * 400.0 * (first + i) / 8000.0;
        piece.at(static_cast<std::size_t>(i)) = static_cast<std::int16_t>(8000 * std::sin(phase));
    }
    return piece;
}

int loudest(const Piece& piece) {
    int most = 0;
    for (const std::int16_t sample : piece) {
        most = std::max(most, std::abs(int{sample}));
    }
    return most;
}

} // namespace

TEST_CASE("a gap is filled with the last period, wherever in the history it begins") {
    for (int pieces = 4; pieces < 12; ++pieces) { // the history holds 3.5 of them
        CAPTURE(pieces);
        Concealer concealer;
        for (int i = 0; i < pieces; ++i) {
            Piece heard = tone_from(i * 80);
            concealer.heard(heard);
        }
        Piece lost{};
        concealer.fill(lost);
        const int first = loudest(lost);
        CHECK(first > 7000);
        CHECK(first < 9000);
        for (int i = 0; i < 6; ++i) {
            concealer.fill(lost);
        }
        CHECK(loudest(lost) == 0); // faded out
    }
}
