// How many descriptors the keeper can hold, and where its own lie.
#pragma once

#include <cstddef>

namespace revenant::keeper {

// Leaves standard input, output and error open and no other descriptor, and raises RLIMIT_NOFILE
// as far as is needed and allowed. The phone inherits the limit. To be called once, first of all.
void prepare_descriptors();

// 25,000, or what RLIMIT_NOFILE leaves.
[[nodiscard]] std::size_t held_max();

// The keeper's own descriptors have this number or a higher one: above all that can be stored.
[[nodiscard]] int own_descriptors();

} // namespace revenant::keeper
