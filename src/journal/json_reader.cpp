#include "journal/json_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace revenant::journal {

namespace {

// The inverse of encode()'s escape; nothing when a character has no byte.
std::optional<std::string> utf8_to_latin1(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80) {
            out += text[i];
        } else if (byte == 0xC2 || byte == 0xC3) {
            ++i; // the parser has checked that this is UTF-8
            out += static_cast<char>(((byte & 0x03U) << 6U) |
                                     (static_cast<unsigned char>(text[i]) & 0x3FU));
        } else {
            return std::nullopt;
        }
    }
    return out;
}

} // namespace

JsonReader::JsonReader(const JsonReader& parent, std::size_t node, std::string_view key)
    : tree_{parent.tree_}, status_{parent.status_}, parent_{&parent}, key_{key}, node_{node},
      hint_{node + 1} {}

std::string JsonReader::path() const {
    return parent_ == nullptr ? std::string{} : parent_->path().append(key_).append(1, '.');
}

void JsonReader::refuse(std::string_view key, std::string_view why) {
    if (status_) {
        status_ = base::fail(base::Errc::corrupt, fmt::format("{}{} {}", path(), key, why));
    }
}

Node* JsonReader::look_for(std::string_view key) {
    if (node_ == nowhere) {
        return nullptr;
    }
    const std::size_t end = tree_[node_].end;
    for (std::size_t i = hint_; i < end; i = tree_[i].end) {
        if (tree_[i].key == key) {
            hint_ = tree_[i].end;
            return &tree_[i];
        }
    }
    for (std::size_t i = node_ + 1; i < end && i < hint_; i = tree_[i].end) {
        if (tree_[i].key == key) {
            return &tree_[i];
        }
    }
    return nullptr;
}

Node* JsonReader::find(std::string_view key) {
    Node* node = look_for(key);
    if (node == nullptr && node_ != nowhere) {
        refuse(key, "is missing");
    }
    return node;
}

bool JsonReader::has(std::string_view key) {
    return look_for(key) != nullptr;
}

JsonReader JsonReader::object(std::string_view key) {
    const Node* node = find(key);
    if (node == nullptr || node->kind != Node::Kind::object) {
        refuse(key, "is not an object");
        return JsonReader{*this, nowhere, key};
    }
    return JsonReader{*this, static_cast<std::size_t>(node - tree_.data()), key};
}

bool JsonReader::is_null(std::string_view key) {
    const Node* node = find(key);
    return node != nullptr && node->kind == Node::Kind::null;
}

bool JsonReader::flag(std::string_view key) {
    const Node* node = find(key);
    if (node == nullptr || node->kind != Node::Kind::boolean) {
        refuse(key, "is neither true nor false");
        return false;
    }
    return node->number != 0;
}

std::optional<std::string> JsonReader::take_text(std::size_t node) {
    if (tree_[node].kind == Node::Kind::text) {
        return std::move(tree_[node].text);
    }
    const std::size_t inner = node + 1;
    if (tree_[node].kind == Node::Kind::object && tree_[node].end == inner + 1 &&
        tree_[inner].kind == Node::Kind::text && tree_[inner].key == "latin1") {
        return utf8_to_latin1(tree_[inner].text);
    }
    return std::nullopt;
}

std::string JsonReader::text(std::string_view key) {
    const Node* node = find(key);
    if (node == nullptr) {
        return {};
    }
    std::optional<std::string> text = take_text(static_cast<std::size_t>(node - tree_.data()));
    if (!text) {
        refuse(key, "is not a string");
        return {};
    }
    return *std::move(text);
}

std::vector<std::string> JsonReader::texts(std::string_view key) {
    std::vector<std::string> out;
    const Node* node = find(key);
    if (node == nullptr || node->kind != Node::Kind::array) {
        refuse(key, "is not an array");
        return out;
    }
    for (auto i = static_cast<std::size_t>(node - tree_.data()) + 1; i < node->end;
         i = tree_[i].end) {
        std::optional<std::string> text = take_text(i);
        if (!text) {
            refuse(key, "holds something else than strings");
            return {};
        }
        out.push_back(*std::move(text));
    }
    return out;
}

std::uint64_t JsonReader::natural(std::string_view key, std::uint64_t max) {
    const Node* node = find(key);
    if (node == nullptr || node->kind != Node::Kind::natural || node->number > max) {
        refuse(key, fmt::format("is not a whole number in 0..{}", max));
        return 0;
    }
    return node->number;
}

std::int64_t JsonReader::whole(std::string_view key) {
    const Node* node = find(key);
    if (node != nullptr && node->kind == Node::Kind::negative) {
        return static_cast<std::int64_t>(node->number);
    }
    return static_cast<std::int64_t>(
        natural(key, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
}

} // namespace revenant::journal
