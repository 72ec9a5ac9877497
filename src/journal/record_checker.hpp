// The rules of a record, applied: a visitor of its description (dialog_fields.hpp,
// registration_fields.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "journal/dialog_fields.hpp" // of a codec
#include "journal/json_tree.hpp"
#include "journal/record_rules.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

// Keeps the first rule that was broken; the rest are then idle.
class RecordChecker {
public:
    static bool since(std::uint32_t /*version*/) { return true; }

    // What is left out has its defaults, which need no check.
    template <typename... Members>
    static bool has(std::string_view /*key*/, const Members&... members) {
        return ((members != Members{}) || ...);
    }

    void text(std::string_view key, const std::string& value, const TextRule& rule);
    void texts(std::string_view key, const std::vector<std::string>& values, const ListRule& rule);

    void formats(std::string_view key, const std::vector<call::Codec>& codecs) {
        objects(key, codecs, list_max);
    }

    template <std::integral Integer>
    void number(std::string_view key, Integer value, const Range& rule = rule::whole<Integer>) {
        const bool is_in = value >= rule.min && value <= rule.max;
        if (!is_in && !(rule.or_zero && value == 0)) {
            refuse(key, fmt::format("is not {}in {}..{}", rule.or_zero ? "0 or " : "", rule.min,
                                    rule.max));
        }
    }

    template <std::integral Integer>
    void number(std::string_view key, Integer value, const OneOf& rule) {
        if (std::ranges::find(rule.values, value) == rule.values.end()) {
            refuse(key, fmt::format("is none of {}", fmt::join(rule.values, ", ")));
        }
    }

    void flag(std::string_view /*key*/, bool /*value*/) {}

    template <typename E>
    void name(std::string_view /*key*/, E /*value*/) {}

    template <typename Struct>
    void object(std::string_view key, const Struct& value) {
        path_.at(depth_++) = key;
        fields(*this, value);
        --depth_;
    }

    template <typename Struct>
    void object_or_null(std::string_view key, const std::optional<Struct>& value) {
        if (value) {
            object(key, *value);
        }
    }

    template <typename Struct>
    void objects(std::string_view key, const std::vector<Struct>& values, std::size_t most) {
        entries(key, values.size(), most);
        for (const Struct& value : values) {
            object(key, value);
        }
    }

    [[nodiscard]] base::Status finish();

private:
    void entries(std::string_view key, std::size_t count, std::size_t most);
    void refuse(std::string_view key, std::string_view why);

    base::Status status_;
    std::size_t strings_size_ = 0;
    std::array<std::string_view, tree_depth_max> path_; // of the object that is being visited
    std::size_t depth_ = 0;
};

} // namespace revenant::journal
