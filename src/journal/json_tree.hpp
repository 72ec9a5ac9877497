// A JSON text as a flat tree: one vector, no pointers, bounded in depth and size whatever the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/result.hpp"

namespace revenant::journal {

inline constexpr std::size_t tree_depth_max = 8;
inline constexpr std::size_t tree_nodes_max = 4096;

struct Node {
    enum class Kind : std::uint8_t { null, boolean, natural, negative, real, text, object, array };

    Kind kind = Kind::null;
    std::string key;          // empty in an array
    std::string text;         // of Kind::text
    std::uint64_t number = 0; // of Kind::boolean, natural; as two's complement of negative
    std::size_t end = 0;      // index behind the last descendant, hence of the next sibling
};

// A container stands before its content, in the order of the text; [0] is the root.
using Tree = std::vector<Node>;

// Errc::corrupt when it is not one JSON value in UTF-8, when a key comes twice in an object, or
// above the bounds. The error never quotes the text, which holds secrets.
[[nodiscard]] base::Result<Tree> parse_tree(std::string_view text);

} // namespace revenant::journal
