// One JSON object, written straight into text. A record is written before each message that must
// not leave unstored, and a document tree would cost several times as much.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace revenant::journal {

// Puts the commas and the nesting. The members of the outermost object stand on a line each; a
// string that is not UTF-8 becomes {"latin1": "…"} (state/README.md).
class JsonWriter {
public:
    // `out` is borrowed and must outlive this.
    explicit JsonWriter(std::string& out) : out_{out} {}

    void open();
    void open(std::string_view name);
    void close();

    void text(std::string_view name, std::string_view value);
    void texts(std::string_view name, const std::vector<std::string>& values);
    void number(std::string_view name, std::int64_t value);
    void flag(std::string_view name, bool value);
    void null(std::string_view name);

private:
    void key(std::string_view name);

    std::string& out_;
    int depth_ = 0;
    bool first_ = true;
};

} // namespace revenant::journal
