// Goes through everything in a record by its description, so that a test may ask of each member
// what holds for all.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "journal/dialog_fields.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

// Calls `act(path, member, rule)` for everything in a record that holds no members itself; a path
// is one into the JSON. Of a list that is the list, then its texts.
template <typename Act>
class Walk {
public:
    explicit Walk(Act& act) : act_{act} {}

    static bool since(std::uint32_t /*version*/) { return true; }

    template <typename... Members>
    static bool has(std::string_view /*key*/, const Members&... /*members*/) {
        return true;
    }

    void text(std::string_view key, std::string& value, const TextRule& rule) {
        act_(place(key), value, rule);
    }

    void texts(std::string_view key, std::vector<std::string>& values, const ListRule& rule) {
        act_(place(key), values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            act_(place(key) + "/" + std::to_string(i), values[i],
                 i == 0 ? rule.first : rule.others);
        }
    }

    void formats(std::string_view key, std::vector<call::Codec>& values) {
        act_(place(key), values);
    }

    template <std::integral Integer>
    void number(std::string_view key, Integer& value, const Range& rule = rule::whole<Integer>) {
        act_(place(key), value, rule);
    }

    template <std::integral Integer>
    void number(std::string_view key, Integer& value, const OneOf& rule) {
        act_(place(key), value, rule);
    }

    void flag(std::string_view key, bool& value) { act_(place(key), value); }

    template <typename E>
    void name(std::string_view key, E& value) {
        act_(place(key), value);
    }

    template <typename Struct>
    void object(std::string_view key, Struct& value) {
        const std::string outer = std::exchange(path_, place(key));
        fields(*this, value);
        path_ = outer;
    }

    template <typename Struct>
    void object_or_null(std::string_view key, std::optional<Struct>& value) {
        REQUIRE(value);
        object(key, *value);
    }

private:
    [[nodiscard]] std::string place(std::string_view key) const {
        return (path_ + '/').append(key);
    }

    Act& act_;
    std::string path_;
};

template <typename Act>
void walk(call::Dialog& dialog, Act& act) {
    Walk<Act> visitor{act};
    fields(visitor, dialog);
}

template <typename T>
concept Enum = std::is_enum_v<T>;

} // namespace revenant::journal
