// The rules of a record, applied: a visitor of the description in dialog_fields.hpp.
#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "journal/dialog_fields.hpp"
#include "journal/json_tree.hpp"
#include "journal/record_rules.hpp"
#include "journal/uri.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

namespace {

bool is_graphic(char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F;
}

bool is_zone(std::string_view text) {
    return !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), is_graphic);
}

// IPv4 or IPv6, the latter also with a zone (RFC 4007 §11): "fe80::1%eth0". A word.
bool is_numeric_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> binary{};
    if (::inet_pton(AF_INET, text.c_str(), binary.data()) == 1) {
        return true;
    }
    const std::size_t percent = text.find('%');
    if (percent == std::string::npos) {
        return ::inet_pton(AF_INET6, text.c_str(), binary.data()) == 1;
    }
    return is_zone(std::string_view{text}.substr(percent + 1)) &&
           ::inet_pton(AF_INET6, text.substr(0, percent).c_str(), binary.data()) == 1;
}

// What is wrong with the bytes; empty: nothing.
std::string_view problem_of(const std::string& text, Alphabet alphabet) {
    switch (alphabet) {
    case Alphabet::bytes: return {};
    case Alphabet::sdp: return text.find('\0') == std::string::npos ? "" : "holds a NUL";
    case Alphabet::line:
        return std::none_of(text.begin(), text.end(),
                            [](char c) { return c == '\0' || c == '\r' || c == '\n'; })
                   ? ""
                   : "holds a line break or a NUL";
    case Alphabet::word:
        return std::all_of(text.begin(), text.end(), is_graphic)
                   ? ""
                   : "holds a blank or a control character";
    }
    return {};
}

std::string_view problem_of_form(const std::string& text, const TextRule& rule) {
    switch (rule.form) {
    case Form::any: return {};
    case Form::address:
        return is_numeric_address(text) ? "" : "is not a numeric IPv4 or IPv6 address";
    case Form::uri:
        if (is_sip_uri(text, rule.hop)) {
            return {};
        }
        return rule.hop == Hop::next ? "is no sip: URI for UDP or TCP"
                                     : "is no sip: or sips: URI for UDP, TCP or TLS";
    case Form::route: return is_sip_address(text, rule.hop) ? "" : "holds what is no sip: URI";
    }
    return {};
}

std::string_view problem_of(const std::string& text, const TextRule& rule) {
    if (text.empty()) {
        return rule.may_be_empty ? "" : "is empty";
    }
    const std::string_view problem = problem_of(text, rule.alphabet);
    return problem.empty() ? problem_of_form(text, rule) : problem;
}

// Keeps the first rule that was broken; the rest are then idle.
class Checker {
public:
    static bool since(std::uint32_t /*version*/) { return true; }

    // What is left out has its defaults, which need no check.
    template <typename... Members>
    static bool has(std::string_view /*key*/, const Members&... members) {
        return ((members != Members{}) || ...);
    }

    void text(std::string_view key, const std::string& value, const TextRule& rule) {
        strings_size_ += value.size();
        if (const std::string_view problem = problem_of(value, rule); !problem.empty()) {
            refuse(key, problem);
        }
        if (value.size() > rule.size_max) {
            refuse(key, fmt::format("is longer than {} bytes", rule.size_max));
        }
    }

    void texts(std::string_view key, const std::vector<std::string>& values, const ListRule& rule) {
        entries(key, values.size());
        const TextRule* one = &rule.first;
        for (const std::string& value : values) {
            text(key, value, *one);
            one = &rule.others;
        }
    }

    void formats(std::string_view key, const std::vector<call::Codec>& codecs) {
        entries(key, codecs.size());
        for (const call::Codec& codec : codecs) {
            object(key, codec);
        }
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

    base::Status finish() {
        if (strings_size_ > strings_size_max) {
            refuse("the text of all keys together",
                   fmt::format("is longer than {} bytes", strings_size_max));
        }
        return status_;
    }

private:
    void entries(std::string_view key, std::size_t count) {
        if (count > list_max) {
            refuse(key, fmt::format("has more than {} entries", list_max));
        }
    }

    void refuse(std::string_view key, std::string_view why) {
        if (!status_) {
            return;
        }
        std::string place;
        for (std::size_t i = 0; i < depth_; ++i) {
            place.append(path_.at(i)).append(1, '.');
        }
        status_ = base::fail(base::Errc::corrupt, fmt::format("{}{} {}", place, key, why));
    }

    base::Status status_;
    std::size_t strings_size_ = 0;
    std::array<std::string_view, tree_depth_max> path_; // of the object that is being visited
    std::size_t depth_ = 0;
};

} // namespace

base::Status check(const call::Dialog& dialog) {
    Checker checker;
    fields(checker, dialog);
    return checker.finish();
}

} // namespace revenant::journal
