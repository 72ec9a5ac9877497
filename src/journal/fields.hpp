// Typed and range-checked reading of one JSON object's members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/names.hpp"
#include "journal/tree.hpp"
#include "revenant/base/result.hpp"

namespace revenant::journal {

// A missing member, a wrong type or a number out of range makes an error that names the member's
// path, and a zero value. The first error of a whole record is kept, so that a reader can read all
// members and ask once at the end.
class Fields {
public:
    // Both are borrowed and must outlive this. The root must be an object.
    Fields(const Tree& tree, base::Status& status) : tree_{tree}, status_{status} {}

    [[nodiscard]] bool has(std::string_view key);
    [[nodiscard]] Fields object(std::string_view key);
    [[nodiscard]] std::optional<Fields> object_or_null(std::string_view key);
    [[nodiscard]] bool flag(std::string_view key);
    [[nodiscard]] std::string text(std::string_view key);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);
    [[nodiscard]] std::uint8_t u8(std::string_view key);
    [[nodiscard]] std::uint16_t u16(std::string_view key);
    [[nodiscard]] std::uint32_t u32(std::string_view key);
    [[nodiscard]] std::int64_t i64(std::string_view key);

    template <typename E>
    [[nodiscard]] E named(std::string_view key) {
        const std::optional<E> value = value_of<E>(text(key));
        if (!value) {
            refuse(key, "is not one of the names that it may have");
            return E{};
        }
        return *value;
    }

private:
    Fields(const Fields& parent, std::size_t node, std::string_view key);

    const Node* look_for(std::string_view key);
    const Node* find(std::string_view key);
    std::uint64_t natural(std::string_view key, std::uint64_t max);
    [[nodiscard]] std::optional<std::string> text_of(std::size_t node) const;
    void refuse(std::string_view key, std::string_view why);

    static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

    const Tree& tree_;
    base::Status& status_;
    std::size_t node_ = 0; // the object; `nowhere` after an error
    std::size_t hint_ = 1; // where the next member is likely to be
    std::string path_;     // "media.local." in front of a key
};

} // namespace revenant::journal
