#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "journal/enum_names.hpp"
#include "journal/record_rules.hpp"
#include "journal/uri.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "unit/journal/record_walk.hpp"

namespace {

using namespace revenant;
using journal::Alphabet;
using journal::encode;
using journal::Form;
using nlohmann::json;

// "media.segment.seq", as errors have it; of an entry the list.
std::string name_in_errors(const std::string& path) {
    std::string name = path.substr(1);
    std::ranges::replace(name, '/', '.');
    return name.substr(0, std::min(name.find(".0"), name.find(".1")));
}

// The sample with one member replaced is read, or is not.
template <typename Kind>
class Attempts {
protected:
    static auto read(const std::string& path, const json& value) {
        json record = json::parse(encode(Kind::sample()));
        record.at(json::json_pointer{path}) = value;
        return Kind::read(record.dump());
    }

    static void accepted(const std::string& path, const json& value) {
        CAPTURE(path);
        const auto record = read(path, value);
        REQUIRE_MESSAGE(record, record.error().context);
        CHECK(Kind::read(encode(*record)) == record);
    }

    static void refused(const std::string& path, const json& value, const std::string& part) {
        CAPTURE(path);
        const auto record = read(path, value);
        REQUIRE_FALSE(record);
        CHECK(record.error().code == base::Errc::corrupt);
        CHECK_MESSAGE(record.error().context.find(part) != std::string::npos,
                      record.error().context);
    }

    static void refused(const std::string& path, const json& value) {
        refused(path, value, name_in_errors(path));
    }
};

template <typename Kind>
struct NumberLimits : Attempts<Kind> {
    using Attempts<Kind>::accepted;
    using Attempts<Kind>::refused;

    void
    operator()(const std::string& path, std::integral auto& /*value*/, const journal::Range& rule) {
        constexpr auto top = std::numeric_limits<std::int64_t>::max();
        constexpr auto bottom = std::numeric_limits<std::int64_t>::min();
        accepted(path, rule.min);
        accepted(path, rule.max);
        refused(path, rule.min == bottom ? json(-9.3e18) : json(rule.min - 1));
        refused(path, json(static_cast<std::uint64_t>(rule.max) + 1));
        refused(path, rule.max == top ? json(9.3e18) : json(static_cast<double>(rule.max)));
        if (rule.or_zero) {
            accepted(path, 0);
            refused(path, 1);
        }
        for (const json& other : {json("1"), json(nullptr), json(true), json::array()}) {
            refused(path, other);
        }
    }

    void
    operator()(const std::string& path, std::integral auto& /*value*/, const journal::OneOf& rule) {
        for (const std::int64_t value : rule.values) {
            accepted(path, value);
            refused(path, value - 1);
            refused(path, value + 1);
        }
        for (const json& other : {json(0), json(-8000), json(8000.0), json("8000"), json()}) {
            refused(path, other);
        }
    }

    void operator()(const std::string& path, bool& /*value*/) {
        accepted(path, true);
        accepted(path, false);
        for (const json& other : {json("true"), json(nullptr), json(1), json::array()}) {
            refused(path, other);
        }
    }

    template <journal::Enum E>
    void operator()(const std::string& path, E& /*value*/) {
        for (const auto& entry : journal::Names<E>::table) {
            accepted(path, std::string{entry.name});
            refused(path, std::string{entry.name} + " ");
        }
        for (const json& other : {json(""), json(nullptr), json(0), json::array()}) {
            refused(path, other);
        }
    }

    template <typename... Others>
    void operator()(const std::string& /*path*/, Others&&... /*others*/) {}
};

TEST_CASE_TEMPLATE("a number, flag or name is taken up to its bounds, and not one beyond",
                   Kind,
                   journal::Dialogs,
                   journal::Registrations) {
    auto record = Kind::sample();
    NumberLimits<Kind> limits;
    journal::walk(record, limits);
}

// In a record: as it is if it is ASCII.
json text_of(const std::string& bytes) {
    const bool is_ascii =
        std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (is_ascii) {
        return bytes;
    }
    std::string latin1;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            latin1 += c;
        } else {
            latin1 += static_cast<char>(0xC0U | (byte >> 6U));
            latin1 += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return {{"latin1", latin1}};
}

bool is_allowed(char c, Alphabet alphabet) {
    const auto byte = static_cast<unsigned char>(c);
    switch (alphabet) {
    case Alphabet::bytes: return true;
    case Alphabet::sdp: return byte != 0;
    case Alphabet::line: return byte != 0 && byte != '\r' && byte != '\n';
    case Alphabet::word: return byte > 0x20 && byte != 0x7F;
    }
    return false;
}

template <typename Kind>
struct TextBytes : Attempts<Kind> {
    using Attempts<Kind>::accepted;
    using Attempts<Kind>::refused;

    void operator()(const std::string& path, std::string& value, const journal::TextRule& rule) {
        if (rule.may_be_empty) {
            accepted(path, "");
        } else {
            refused(path, "");
        }
        for (const int byte : {0, 1, 9, 10, 13, 31, 32, 33, 126, 127, 128, 255}) {
            CAPTURE(byte);
            const char c = static_cast<char>(byte);
            std::string text = value;
            text.insert(text.size() / 2, 1, c);
            if (!is_allowed(c, rule.alphabet)) {
                refused(path, text_of(text));
            } else if (rule.form == Form::any) {
                accepted(path, text_of(text));
            }
        }
        for (const json& other : {json(5), json(nullptr), json(true), json::array()}) {
            refused(path, other);
        }
    }

    template <typename... Others>
    void operator()(const std::string& /*path*/, Others&&... /*others*/) {}
};

TEST_CASE_TEMPLATE("a text has the bytes that it may have, and no other",
                   Kind,
                   journal::Dialogs,
                   journal::Registrations) {
    auto record = Kind::sample();
    TextBytes<Kind> bytes;
    journal::walk(record, bytes);
}

template <typename Kind>
struct TextSizes : Attempts<Kind> {
    using Attempts<Kind>::accepted;
    using Attempts<Kind>::refused;

    std::size_t all = 0; // of all texts together

    void
    operator()(const std::string& path, std::string& value, const journal::TextRule& rule) const {
        const std::size_t most = journal::strings_size_max - (all - value.size());
        switch (rule.form) {
        case Form::any:
        case Form::account:
            if (rule.size_max < most) {
                accepted(path, std::string(rule.size_max, 'a'));
                refused(path, std::string(rule.size_max + 1, 'a'));
            } else {
                accepted(path, std::string(most, 'a'));
                refused(path, std::string(most + 1, 'a'), "163840");
            }
            break;
        case Form::address:
            accepted(path, "2001:db8:1111:2222:3333:4444:5555:6666%123456789012345");
            refused(path, "2001:db8:1111:2222:3333:4444:5555:6666%1234567890123456");
            refused(path, "example.org");
            break;
        case Form::uri:
            accepted(path, uri(journal::uri_size_max));
            refused(path, uri(journal::uri_size_max + 1));
            break;
        case Form::route: route_sizes(path, rule, most); break;
        }
    }

    static void
    route_sizes(const std::string& path, const journal::TextRule& rule, std::size_t most) {
        const auto named = [](std::size_t size) {
            return std::string(size - 9, 'a') + "<sip:a@b>";
        };
        accepted(path, "<" + uri(std::min(journal::uri_size_max, rule.size_max - 2)) + ">");
        refused(path, "<" + uri(journal::uri_size_max + 1) + ">");
        if (rule.size_max < most) {
            accepted(path, named(rule.size_max));
            refused(path, named(rule.size_max + 1));
        } else {
            accepted(path, named(most));
            refused(path, named(most + 1), "163840");
        }
    }

    template <typename Entry>
    void operator()(const std::string& path, std::vector<Entry>& /*values*/, std::size_t most) {
        const json list = json::parse(encode(Kind::sample())).at(json::json_pointer{path});
        accepted(path, std::vector<json>(most, list.front()));
        refused(path, std::vector<json>(most + 1, list.front()));
        refused(path, list.front());
        refused(path, json::array({7}));
    }

    template <typename... Others>
    void operator()(const std::string& /*path*/, Others&&... /*others*/) {}

    static std::string uri(std::size_t size) { return "sip:" + std::string(size - 6, 'a') + "@b"; }
};

struct TextTotal {
    std::size_t all = 0;

    void
    operator()(const std::string& /*path*/, std::string& value, const journal::TextRule& /*rule*/) {
        all += value.size();
    }

    void operator()(const std::string& /*path*/,
                    std::vector<call::Codec>& values,
                    std::size_t /*most*/) {
        for (const call::Codec& codec : values) {
            all += codec.name.size();
        }
    }

    template <typename... Others>
    void operator()(const std::string& /*path*/, Others&&... /*others*/) {}
};

TEST_CASE_TEMPLATE("a text or list is taken up to its size, and not one beyond",
                   Kind,
                   journal::Dialogs,
                   journal::Registrations) {
    auto record = Kind::sample();
    TextTotal total;
    journal::walk(record, total);
    TextSizes<Kind> sizes;
    sizes.all = total.all;
    journal::walk(record, sizes);
}

} // namespace
