// Whether the libraries really come through the functions that stand in front of theirs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sip/interpose/functions.hpp"

namespace revenant::sip {

enum class Fault : std::uint8_t {
    not_taken, // by nobody in this program
    no_own,    // no library has the function
    not_ours,  // the name leads somewhere else than to us
    no_call,   // the library does not ask for it by its name
};

struct Passed {
    const InFront* function;
    Fault fault;
    std::string library; // its path
};

// Those that something is wrong with. Reads the libraries' dynamic relocations: one that names a
// function is bound to the first of that name, which is the program's. One that was bound when the
// library was linked names nothing (and is of type RELATIVE, or packed as RELR), on whatever
// processor. What this cannot see is a library that calls a function past its own relocation, from
// the file that defines it; the unit test that comes through each of them sees that.
[[nodiscard]] std::vector<Passed> find_passed();

} // namespace revenant::sip
