#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "journal/dialog_fields.hpp"
#include "journal/enum_names.hpp"
#include "journal/uri.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/sample_dialogs.hpp"
#include "unit/journal/dialog_walk.hpp"

namespace {

using namespace revenant;
using journal::Alphabet;
using journal::decode;
using journal::encode;
using journal::Form;
using nlohmann::json;

// The sample record with one member replaced.
std::string with(const std::string& path, const json& value) {
    json record = json::parse(encode(journal::sample_full()));
    record.at(json::json_pointer{path}) = value;
    return record.dump();
}

// "media.segment.seq", as errors have it; of an entry the list.
std::string name_in_errors(const std::string& path) {
    std::string name = path.substr(1);
    std::ranges::replace(name, '/', '.');
    return name.substr(0, std::min(name.find(".0"), name.find(".1")));
}

void accepted(const std::string& path, const json& value) {
    CAPTURE(path);
    const auto dialog = decode(with(path, value));
    REQUIRE_MESSAGE(dialog, dialog.error().context);
    CHECK(decode(encode(*dialog)) == dialog);
}

void refused(const std::string& path, const json& value, const std::string& part) {
    CAPTURE(path);
    const auto dialog = decode(with(path, value));
    REQUIRE_FALSE(dialog);
    CHECK(dialog.error().code == base::Errc::corrupt);
    CHECK_MESSAGE(dialog.error().context.find(part) != std::string::npos, dialog.error().context);
}

void refused(const std::string& path, const json& value) {
    refused(path, value, name_in_errors(path));
}

struct NumberLimits {
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

TEST_CASE("a number, flag or name is taken up to its bounds, and not one beyond") {
    call::Dialog dialog = journal::sample_full();
    NumberLimits limits;
    journal::walk(dialog, limits);
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

struct TextBytes {
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

TEST_CASE("a text has the bytes that it may have, and no other") {
    call::Dialog dialog = journal::sample_full();
    TextBytes bytes;
    journal::walk(dialog, bytes);
}

struct TextSizes {
    std::size_t all = 0; // of all texts together

    void
    operator()(const std::string& path, std::string& value, const journal::TextRule& rule) const {
        const std::size_t most = journal::strings_size_max - (all - value.size());
        const auto uri = [](std::size_t size) {
            return "sip:" + std::string(size - 6, 'a') + "@b";
        };
        switch (rule.form) {
        case Form::any:
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
        case Form::route:
            accepted(path, "<" + uri(journal::uri_size_max) + ">");
            refused(path, "<" + uri(journal::uri_size_max + 1) + ">");
            accepted(path, std::string(most - 9, 'a') + "<sip:a@b>");
            refused(path, std::string(most - 8, 'a') + "<sip:a@b>", "163840");
            break;
        }
    }

    void operator()(const std::string& path, std::vector<std::string>& values) {
        accepted(path, std::vector<std::string>(journal::list_max, values.front()));
        refused(path, std::vector<std::string>(journal::list_max + 1, values.front()));
    }

    void operator()(const std::string& path, std::vector<call::Codec>& /*values*/) {
        accepted(path, std::vector<std::string>(journal::list_max, "8 PCMA/8000"));
        refused(path, std::vector<std::string>(journal::list_max + 1, "8 PCMA/8000"));
    }

    template <typename... Others>
    void operator()(const std::string& /*path*/, Others&&... /*others*/) {}
};

struct TextTotal {
    std::size_t all = 0;

    void
    operator()(const std::string& /*path*/, std::string& value, const journal::TextRule& /*rule*/) {
        all += value.size();
    }

    template <typename... Others>
    void operator()(const std::string& /*path*/, Others&&... /*others*/) {}
};

TEST_CASE("a text or list is taken up to its size, and not one beyond") {
    call::Dialog dialog = journal::sample_full();
    TextTotal total;
    journal::walk(dialog, total);
    for (const call::Codec& codec : dialog.media.receive) {
        total.all += codec.name.size();
    }
    TextSizes sizes{.all = total.all};
    journal::walk(dialog, sizes);
}

} // namespace
