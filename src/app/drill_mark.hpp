// What one life of a drill leaves for the next: a small file in the state directory
// (state/README.md, "drill").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::app {

struct DrillMark {
    call::Number call = 0;
    std::int64_t killed_ms = 0; // on the boot clock
    std::uint64_t packets = 0;  // RTP packets sent by then

    friend bool operator==(const DrillMark&, const DrillMark&) = default;
};

[[nodiscard]] std::string encode(const DrillMark& mark);
// Nothing for whatever `encode` did not write.
[[nodiscard]] std::optional<DrillMark> read_drill_mark(std::string_view text);

[[nodiscard]] base::Status write_drill_file(const std::string& path, const DrillMark& mark);
// At most one octet more than a mark can have. Nothing: there is no such file.
[[nodiscard]] std::optional<std::string> read_drill_file(const std::string& path);

} // namespace revenant::app
