#include "journal/json_writer.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "revenant/base/text.hpp"

namespace revenant::journal {

namespace {

// An object, not a function: an algorithm calls a function through a pointer, once a character.
constexpr auto needs_escape = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
};

void append_escape(std::string& out, char c) {
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    auto run = text.begin();
    while (true) {
        const auto stop = std::find_if(run, text.end(), needs_escape);
        out.append(run, stop);
        if (stop == text.end()) {
            break;
        }
        append_escape(out, *stop);
        run = stop + 1;
    }
    out += '"';
}

// Each byte as the character of the same number, so that ASCII stays readable.
std::string latin1_to_utf8(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xC0U | (byte >> 6U));
            out += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return out;
}

void append_text(std::string& out, std::string_view text) {
    if (base::is_utf8(text)) {
        append_quoted(out, text);
        return;
    }
    out += "{\"latin1\":";
    append_quoted(out, latin1_to_utf8(text));
    out += '}';
}

} // namespace

void JsonWriter::open() {
    out_ += '{';
    ++depth_;
    first_ = true;
}

void JsonWriter::open(std::string_view name) {
    key(name);
    open();
}

void JsonWriter::close() {
    --depth_;
    out_ += depth_ == 0 ? "\n}\n" : "}";
    first_ = false;
}

void JsonWriter::key(std::string_view name) {
    if (!first_) {
        out_ += ',';
    }
    first_ = false;
    if (depth_ == 1) {
        out_ += '\n';
    }
    out_ += '"';
    out_ += name;
    out_ += "\":";
}

void JsonWriter::text(std::string_view name, std::string_view value) {
    key(name);
    append_text(out_, value);
}

void JsonWriter::texts(std::string_view name, const std::vector<std::string>& values) {
    key(name);
    std::string_view separator = "[";
    for (const std::string& value : values) {
        out_ += separator;
        append_text(out_, value);
        separator = ",";
    }
    out_ += values.empty() ? "[]" : "]";
}

void JsonWriter::number(std::string_view name, std::int64_t value) {
    key(name);
    const fmt::format_int digits{value};
    out_.append(digits.data(), digits.size());
}

void JsonWriter::flag(std::string_view name, bool value) {
    key(name);
    out_ += value ? "true" : "false";
}

void JsonWriter::null(std::string_view name) {
    key(name);
    out_ += "null";
}

} // namespace revenant::journal
