// Typed and range-checked reading of one JSON object's members.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "journal/json_tree.hpp"
#include "revenant/base/result.hpp"

namespace revenant::journal {

// A missing member, a wrong type or a number out of range makes an error that names the member's
// path, and a zero value. The first error of a whole record is kept, so that a reader can read all
// members and ask once at the end.
class JsonReader {
public:
    // Both are borrowed and must outlive this. The root must be an object. Each member is read
    // once: texts are moved out of the tree.
    JsonReader(Tree& tree, base::Status& status) : tree_{tree}, status_{status} {}

    [[nodiscard]] bool has(std::string_view key);
    // Borrows this one, for the path in an error.
    [[nodiscard]] JsonReader object(std::string_view key);
    [[nodiscard]] bool is_null(std::string_view key);
    [[nodiscard]] bool flag(std::string_view key);
    [[nodiscard]] std::string text(std::string_view key);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);

    template <std::integral Integer>
    [[nodiscard]] Integer number(std::string_view key) {
        using Limits = std::numeric_limits<Integer>;
        if constexpr (std::is_signed_v<Integer>) {
            static_assert(sizeof(Integer) == sizeof(std::int64_t));
            return whole(key);
        } else {
            return static_cast<Integer>(natural(key, Limits::max()));
        }
    }

    void refuse(std::string_view key, std::string_view why);

private:
    JsonReader(const JsonReader& parent, std::size_t node, std::string_view key);

    Node* look_for(std::string_view key);
    Node* find(std::string_view key);
    std::uint64_t natural(std::string_view key, std::uint64_t max);
    std::int64_t whole(std::string_view key);
    [[nodiscard]] std::optional<std::string> take_text(std::size_t node);
    [[nodiscard]] std::string path() const;

    static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

    Tree& tree_;
    base::Status& status_;
    const JsonReader* parent_ = nullptr; // null: this is the root
    std::string_view key_;               // in the parent
    std::size_t node_ = 0;               // the object; `nowhere` after an error
    std::size_t hint_ = 1;               // where the next member is likely to be
};

} // namespace revenant::journal
