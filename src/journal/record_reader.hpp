// A record from text: a visitor of its description (dialog_fields.hpp, registration_fields.hpp).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journal/enum_names.hpp"
#include "journal/json_reader.hpp"
#include "journal/json_tree.hpp"
#include "journal/record_rules.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

// "8 PCMA/8000"
[[nodiscard]] std::optional<call::Codec> read_format(std::string_view text);

class RecordReader {
public:
    RecordReader(JsonReader json, std::uint32_t version) : json_{json}, version_{version} {}

    [[nodiscard]] bool since(std::uint32_t version) const { return version_ >= version; }

    template <typename... Members>
    [[nodiscard]] bool has(std::string_view key, const Members&... /*members*/) {
        return json_.has(key);
    }

    void text(std::string_view key, std::string& value, const TextRule& /*rule*/) {
        value = json_.text(key);
    }

    void texts(std::string_view key, std::vector<std::string>& values, const ListRule& /*rule*/) {
        values = json_.texts(key);
    }

    void formats(std::string_view key, std::vector<call::Codec>& codecs) {
        for (const std::string& text : json_.texts(key)) {
            const auto codec = read_format(text);
            if (!codec) {
                json_.refuse(key, "holds what is no \"TYPE NAME/RATE\"");
                return;
            }
            codecs.push_back(*codec);
        }
    }

    template <std::integral Integer, typename... Rule>
    void number(std::string_view key, Integer& value, const Rule&... /*rule*/) {
        value = json_.number<Integer>(key);
    }

    void flag(std::string_view key, bool& value) { value = json_.flag(key); }

    template <typename E>
    void name(std::string_view key, E& value) {
        const std::optional<E> found = value_of<E>(json_.text(key));
        if (!found) {
            json_.refuse(key, "is not one of the names that it may have");
        }
        value = found.value_or(E{});
    }

    template <typename Struct>
    void object(std::string_view key, Struct& value) {
        RecordReader inner{json_.object(key), version_};
        fields(inner, value);
    }

    template <typename Struct>
    void object_or_null(std::string_view key, std::optional<Struct>& value) {
        if (!json_.is_null(key)) {
            object(key, value.emplace());
        }
    }

    template <typename Struct>
    void objects(std::string_view key, std::vector<Struct>& values, std::size_t /*most*/) {
        for (const JsonReader& entry : json_.objects(key)) {
            RecordReader inner{entry, version_};
            fields(inner, values.emplace_back());
        }
    }

private:
    JsonReader json_;
    std::uint32_t version_;
};

struct ParsedRecord {
    Tree tree; // its root is an object
    std::uint32_t version = 0;
};

// Errc::too_new for a schema above `newest`.
[[nodiscard]] base::Result<ParsedRecord> parse_record(std::string_view text, int newest);

template <typename Record>
[[nodiscard]] base::Result<Record> read_record(std::string_view text, int newest) {
    base::Result<ParsedRecord> parsed = parse_record(text, newest);
    if (!parsed) {
        return base::fail(parsed.error());
    }
    base::Status status;
    Record record;
    RecordReader reader{JsonReader{parsed->tree, status}, parsed->version};
    fields(reader, record);
    if (status) {
        status = check(record);
    }
    if (!status) {
        return base::fail(status.error());
    }
    return record;
}

} // namespace revenant::journal
