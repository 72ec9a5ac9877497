// Big-endian and little-endian integers in byte buffers; the caller has checked the bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace revenant::media {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

[[nodiscard]] inline std::uint16_t be16(Bytes b, std::size_t at) {
    return static_cast<std::uint16_t>((b[at] << 8U) | b[at + 1]);
}

[[nodiscard]] inline std::uint32_t be32(Bytes b, std::size_t at) {
    return (std::uint32_t{be16(b, at)} << 16U) | be16(b, at + 2);
}

[[nodiscard]] inline std::uint16_t le16(Bytes b, std::size_t at) {
    return static_cast<std::uint16_t>(b[at] | (b[at + 1] << 8U));
}

[[nodiscard]] inline std::uint32_t le32(Bytes b, std::size_t at) {
    return le16(b, at) | (std::uint32_t{le16(b, at + 2)} << 16U);
}

inline void put_be16(MutableBytes b, std::size_t at, std::uint16_t value) {
    b[at] = static_cast<std::uint8_t>(value >> 8U);
    b[at + 1] = static_cast<std::uint8_t>(value);
}

inline void put_be32(MutableBytes b, std::size_t at, std::uint32_t value) {
    put_be16(b, at, static_cast<std::uint16_t>(value >> 16U));
    put_be16(b, at + 2, static_cast<std::uint16_t>(value));
}

inline void put_le16(MutableBytes b, std::size_t at, std::uint16_t value) {
    b[at] = static_cast<std::uint8_t>(value);
    b[at + 1] = static_cast<std::uint8_t>(value >> 8U);
}

inline void put_le32(MutableBytes b, std::size_t at, std::uint32_t value) {
    put_le16(b, at, static_cast<std::uint16_t>(value));
    put_le16(b, at + 2, static_cast<std::uint16_t>(value >> 16U));
}

} // namespace revenant::media
