#include "journal/record_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "revenant/base/text.hpp"

namespace revenant::journal {

using base::Errc;
using base::fail;

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

base::Result<ParsedRecord> parse_record(std::string_view text, int newest) {
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
    const auto version = JsonReader{*tree, status}.number<std::uint32_t>("schema");
    if (!status) {
        return fail(status.error());
    }
    if (version > static_cast<std::uint32_t>(newest)) {
        return fail(Errc::too_new,
                    fmt::format("the record has schema {} and this version of revenant reads up "
                                "to {}; use the version that wrote it",
                                version, newest));
    }
    if (version == 0) {
        return fail(Errc::corrupt, "schema is 0");
    }
    return ParsedRecord{.tree = *std::move(tree), .version = version};
}

} // namespace revenant::journal
