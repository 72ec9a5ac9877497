#include "journal/json_tree.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace revenant::journal {

namespace {

using nlohmann::json;

// nlohmann's SAX interface; its parser keeps its own stack on the heap, and stops when one of these
// functions returns false.
class Builder {
public:
    using Kind = Node::Kind;

    Builder() { tree_.reserve(128); }

    bool null() { return leaf(Kind::null); }

    bool boolean(bool value) { return leaf(Kind::boolean, value ? 1 : 0); }

    bool number_unsigned(std::uint64_t value) { return leaf(Kind::natural, value); }

    bool number_integer(std::int64_t value) {
        return leaf(Kind::negative, static_cast<std::uint64_t>(value));
    }

    bool number_float(double /*value*/, const std::string& /*text*/) { return leaf(Kind::real); }

    bool string(std::string& value) {
        if (!leaf(Kind::text)) {
            return false;
        }
        tree_.back().text = std::move(value);
        return true;
    }

    bool binary(json::binary_t& /*value*/) { return refuse("holds binary data"); }

    bool start_object(std::size_t /*size*/) { return open(Kind::object); }

    bool start_array(std::size_t /*size*/) { return open(Kind::array); }

    bool end_object() { return close(); }

    bool end_array() { return close(); }

    bool key(std::string& name) {
        const std::size_t parent = open_.back();
        for (std::size_t i = parent + 1; i < tree_.size(); i = tree_[i].end) {
            if (tree_[i].key == name) {
                return refuse("has a key twice in one object");
            }
        }
        key_ = std::move(name);
        return true;
    }

    bool parse_error(std::size_t position,
                     const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) {
        return refuse(fmt::format("is not JSON at byte {}", position));
    }

    [[nodiscard]] const std::string& problem() const { return problem_; }

    [[nodiscard]] Tree take() { return std::move(tree_); }

private:
    bool leaf(Kind kind, std::uint64_t number = 0) {
        if (tree_.size() >= tree_nodes_max) {
            return refuse(fmt::format("has more than {} values", tree_nodes_max));
        }
        Node& node = tree_.emplace_back();
        node.kind = kind;
        node.key = std::exchange(key_, {});
        node.number = number;
        node.end = tree_.size();
        return true;
    }

    bool open(Kind kind) {
        if (open_.size() >= tree_depth_max) {
            return refuse(fmt::format("is nested deeper than {}", tree_depth_max));
        }
        open_.push_back(tree_.size());
        return leaf(kind);
    }

    bool close() {
        tree_[open_.back()].end = tree_.size();
        open_.pop_back();
        return true;
    }

    bool refuse(std::string problem) {
        problem_ = std::move(problem);
        return false;
    }

    Tree tree_;
    std::vector<std::size_t> open_; // containers that are not closed yet
    std::string key_;
    std::string problem_;
};

} // namespace

base::Result<Tree> parse_tree(std::string_view text) {
    Builder builder;
    try {
        if (json::sax_parse(text.begin(), text.end(), &builder)) {
            return builder.take();
        }
    } catch (const std::exception& e) {
        return base::fail(base::Errc::corrupt, fmt::format("cannot be parsed: {}", e.what()));
    }
    return base::fail(base::Errc::corrupt, builder.problem());
}

} // namespace revenant::journal
