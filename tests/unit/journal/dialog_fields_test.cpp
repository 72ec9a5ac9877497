#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "journal/dialog_fields.hpp"
#include "journal/enum_names.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/sample_dialogs.hpp"
#include "unit/journal/dialog_walk.hpp"

namespace revenant::journal {

// Not in the unnamed namespace, where a function that has no body is a warning.
struct Anything {
    template <typename T>
    operator T() const; // NOLINT(google-explicit-constructor): it is the point
};

} // namespace revenant::journal

namespace {

using namespace revenant;
using journal::decode;
using journal::encode;
using journal::Form;
using nlohmann::json;

// ---- how many members a struct has, and how many of them are described

template <typename Struct, std::size_t... index>
constexpr bool takes(std::index_sequence<index...> /*count*/) {
    return requires {
        Struct{(static_cast<void>(index), journal::Anything{})...};
    };
}

// The most values that the aggregate can be made of.
template <typename Struct, std::size_t most = 64>
constexpr std::size_t member_count() {
    if constexpr (takes<Struct>(std::make_index_sequence<most>{})) {
        return most;
    } else {
        return member_count<Struct, most - 1>();
    }
}

static_assert(member_count<call::Endpoint>() == 2);
static_assert(member_count<call::Hold>() == 2);

// Which members a description names, and not those within them.
struct Named {
    std::set<const void*> members;
    std::vector<std::string_view> keys;

    static bool since(std::uint32_t /*version*/) { return true; }

    template <typename... Members>
    static bool has(std::string_view /*key*/, const Members&... /*members*/) {
        return true;
    }

    template <typename Member, typename... Rule>
    void name_it(std::string_view key, const Member& member) {
        CHECK_MESSAGE(members.insert(&member).second, key);
        CHECK_MESSAGE(std::ranges::find(keys, key) == keys.end(), key);
        keys.push_back(key);
    }

    void text(std::string_view key, const std::string& m, const journal::TextRule& /*rule*/) {
        name_it(key, m);
    }

    void texts(std::string_view key,
               const std::vector<std::string>& m,
               const journal::ListRule& /*rule*/) {
        name_it(key, m);
    }

    void formats(std::string_view key, const std::vector<call::Codec>& m) { name_it(key, m); }

    template <std::integral Integer, typename... Rule>
    void number(std::string_view key, const Integer& m, const Rule&... /*rule*/) {
        name_it(key, m);
    }

    void flag(std::string_view key, const bool& m) { name_it(key, m); }

    template <typename Member>
    void name(std::string_view key, const Member& m) {
        name_it(key, m);
    }

    template <typename Member>
    void object(std::string_view key, const Member& m) {
        name_it(key, m);
    }

    template <typename Member>
    void object_or_null(std::string_view key, const Member& m) {
        name_it(key, m);
    }
};

template <typename... Structs>
void each_has_all_its_members_described() {
    const auto check_one = [](const auto& value) {
        Named named;
        journal::fields(named, value);
        CHECK_MESSAGE(named.members.size() == member_count<std::remove_cvref_t<decltype(value)>>(),
                      named.keys.front());
    };
    (check_one(Structs{}), ...);
}

TEST_CASE("every member of every struct of a dialog is in its record, under a key of its own") {
    each_has_all_its_members_described<call::Endpoint, call::Codec, call::Segment, call::Media,
                                       call::Hold, call::SessionTimer, call::SentPrack,
                                       call::InFlight, call::BootTimes, call::Dialog>();
}

// ---- each member in turn

std::string another(const std::string& text, Form form) {
    switch (form) {
    case Form::any: return text + "x";
    case Form::address: return text == "192.0.2.77" ? "192.0.2.78" : "192.0.2.77";
    case Form::uri: return text + ";other";
    case Form::route: return text + ";other=1";
    }
    return {};
}

struct ChangeOne {
    std::size_t wanted;
    std::size_t seen = 0;
    std::string changed = {}; // its path

    bool is_it(const std::string& path) {
        const bool is = seen++ == wanted;
        changed = is ? path : changed;
        return is;
    }

    void operator()(const std::string& path, std::string& value, const journal::TextRule& rule) {
        value = is_it(path) ? another(value, rule.form) : value;
    }

    void operator()(const std::string& path, std::vector<std::string>& values) {
        if (is_it(path)) {
            values.pop_back();
        }
    }

    void operator()(const std::string& path, std::vector<call::Codec>& values) {
        if (is_it(path)) {
            values.pop_back();
        }
    }

    template <std::integral Integer>
    void operator()(const std::string& path, Integer& value, const journal::Range& rule) {
        if (is_it(path)) {
            value = static_cast<Integer>(value == rule.max ? value - 1 : value + 1);
        }
    }

    template <std::integral Integer>
    void operator()(const std::string& path, Integer& value, const journal::OneOf& rule) {
        if (is_it(path)) {
            value = rule.values[rule.values.front() == value ? 1 : 0];
        }
    }

    void operator()(const std::string& path, bool& value) { value = is_it(path) != value; }

    template <journal::Enum E>
    void operator()(const std::string& path, E& value) {
        if (is_it(path)) {
            const auto& table = journal::Names<E>::table;
            value = table.at(table.front().value == value ? 1 : 0).value;
        }
    }
};

TEST_CASE("whatever member of a dialog changes, the record has the change, and no other") {
    const call::Dialog sample = journal::sample_full();
    const json before = json::parse(encode(sample));
    std::size_t count = 0;
    while (true) {
        call::Dialog dialog = sample;
        ChangeOne change{.wanted = count};
        journal::walk(dialog, change);
        if (change.changed.empty()) {
            break;
        }
        ++count;
        INFO(change.changed);
        CHECK(dialog != sample);
        CHECK(decode(encode(dialog)) == dialog);
        const json differences = json::diff(before, json::parse(encode(dialog)));
        CHECK(differences.size() == 1);
        const std::string where = differences.at(0).at("path");
        CHECK(where.starts_with(change.changed));
    }
    CHECK(count == before.flatten().size() - 1 // the schema; a format in a list is no member
                       - sample.media.receive.size() + 2);
}

} // namespace
