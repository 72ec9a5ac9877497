// A Dialog as text and back: two visitors of the description in dialog_fields.hpp.
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "journal/dialog_fields.hpp"
#include "journal/enum_names.hpp"
#include "journal/json_reader.hpp"
#include "journal/json_tree.hpp"
#include "journal/json_writer.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

namespace {

using base::Errc;
using base::fail;

class Writer {
public:
    explicit Writer(JsonWriter& json) : json_{json} {}

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

private:
    JsonWriter& json_;
};

std::optional<call::Codec> read_format(std::string_view text) {
    const std::size_t space = text.find(' ');
    const std::size_t slash = text.rfind('/');
    if (space == std::string_view::npos || slash == std::string_view::npos || space > slash) {
        return std::nullopt;
    }
    const auto type = base::to_u32(text.substr(0, space));
    const auto rate = base::to_u32(text.substr(slash + 1));
    if (!type || *type > 127 || !rate) {
        return std::nullopt;
    }
    return call::Codec{.payload_type = static_cast<std::uint8_t>(*type),
                       .name = std::string{text.substr(space + 1, slash - space - 1)},
                       .clock_rate = *rate};
}

class Reader {
public:
    Reader(JsonReader json, std::uint32_t version) : json_{json}, version_{version} {}

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
        Reader inner{json_.object(key), version_};
        fields(inner, value);
    }

    template <typename Struct>
    void object_or_null(std::string_view key, std::optional<Struct>& value) {
        if (!json_.is_null(key)) {
            object(key, value.emplace());
        }
    }

private:
    JsonReader json_;
    std::uint32_t version_;
};

} // namespace

std::string encode(const call::Dialog& dialog) {
    std::string out;
    out.reserve(4096);
    JsonWriter json{out};
    json.open();
    json.number("schema", schema);
    Writer writer{json};
    fields(writer, dialog);
    json.close();
    return out;
}

base::Result<call::Dialog> decode(std::string_view text) {
    if (text.size() > record_size_max) {
        return fail(Errc::corrupt,
                    fmt::format("the record is longer than {} bytes", record_size_max));
    }
    base::Result<Tree> tree = parse_tree(text);
    if (!tree) {
        return fail(tree.error().code, "the record " + tree.error().context);
    }
    if (tree->front().kind != Node::Kind::object) {
        return fail(Errc::corrupt, "the record is not a JSON object");
    }
    base::Status status;
    JsonReader json{*tree, status};
    const auto version = json.number<std::uint32_t>("schema");
    if (status && version > static_cast<std::uint32_t>(schema)) {
        return fail(Errc::too_new,
                    fmt::format("the record has schema {} and this version of revenant reads up "
                                "to {}; use the version that wrote it",
                                version, schema));
    }
    if (status && version == 0) {
        return fail(Errc::corrupt, "schema is 0");
    }
    call::Dialog dialog;
    Reader reader{json, version};
    fields(reader, dialog);
    if (status) {
        status = check(dialog);
    }
    if (!status) {
        return fail(status.error());
    }
    return dialog;
}

} // namespace revenant::journal
