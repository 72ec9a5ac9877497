// A record as text: a visitor of its description (dialog_fields.hpp, registration_fields.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "journal/enum_names.hpp"
#include "journal/json_writer.hpp"
#include "journal/record_rules.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

class RecordWriter {
public:
    explicit RecordWriter(JsonWriter& json) : json_{json} {}

    static bool since(std::uint32_t /*version*/) { return true; }

    template <typename... Members>
    static bool has(std::string_view /*key*/, const Members&... members) {
        return ((members != Members{}) || ...);
    }

    void text(std::string_view key, const std::string& value, const TextRule& /*rule*/) {
        json_.text(key, value);
    }

    void
    texts(std::string_view key, const std::vector<std::string>& values, const ListRule& /*rule*/) {
        json_.texts(key, values);
    }

    // "8 PCMA/8000"
    void formats(std::string_view key, const std::vector<call::Codec>& codecs) {
        std::vector<std::string> texts;
        texts.reserve(codecs.size());
        for (const call::Codec& codec : codecs) {
            texts.push_back(
                fmt::format("{} {}/{}", codec.payload_type, codec.name, codec.clock_rate));
        }
        json_.texts(key, texts);
    }

    template <typename... Rule>
    void number(std::string_view key, std::int64_t value, const Rule&... /*rule*/) {
        json_.number(key, value);
    }

    void flag(std::string_view key, bool value) { json_.flag(key, value); }

    template <typename E>
    void name(std::string_view key, E value) {
        json_.text(key, name_of(value));
    }

    template <typename Struct>
    void object(std::string_view key, const Struct& value) {
        json_.open(key);
        fields(*this, value);
        json_.close();
    }

    template <typename Struct>
    void object_or_null(std::string_view key, const std::optional<Struct>& value) {
        if (value) {
            object(key, *value);
        } else {
            json_.null(key);
        }
    }

    template <typename Struct>
    void objects(std::string_view key, const std::vector<Struct>& values, std::size_t /*most*/) {
        json_.open_array(key);
        for (const Struct& value : values) {
            json_.open_entry();
            fields(*this, value);
            json_.close();
        }
        json_.close_array();
    }

private:
    JsonWriter& json_;
};

template <typename Record>
[[nodiscard]] std::string write_record(const Record& record, int version) {
    std::string out;
    out.reserve(4096);
    JsonWriter json{out};
    json.open();
    json.number("schema", version);
    RecordWriter writer{json};
    fields(writer, record);
    json.close();
    return out;
}

} // namespace revenant::journal
