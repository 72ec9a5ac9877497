#include "revenant/base/random.hpp"

#include <array>
#include <cstdint>
#include <string>

#include <sys/random.h>

#include "revenant/base/log.hpp"

namespace revenant::base {

std::uint32_t random_u32() {
    // One system call fetches many: identities are made in bursts.
    static std::array<std::uint32_t, 64> pool{};
    static std::size_t left = 0;
    if (left == 0) {
        // Up to 256 bytes getrandom(2) neither returns less nor is interrupted.
        if (::getrandom(pool.data(), sizeof pool, 0) != sizeof pool) {
            die("getrandom: the kernel has no random numbers");
        }
        left = pool.size();
    }
    return pool[--left];
}

std::string random_token(std::size_t length) {
    static constexpr char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::string token;
    token.reserve(length);
    while (token.size() < length) {
        // 36^6 < 2^32: six characters a number, almost evenly spread.
        std::uint32_t bits = random_u32();
        for (int i = 0; i < 6 && token.size() < length; ++i) {
            token.push_back(alphabet[bits % 36]);
            bits /= 36;
        }
    }
    return token;
}

} // namespace revenant::base
