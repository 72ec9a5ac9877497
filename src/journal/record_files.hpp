// The directory of records: one file per call, replaced as a whole.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

// Writes every record into a spare file and then swaps the two names. Making and deleting an inode
// costs ext4 three times as much as filling one again; so the spares are kept, and used again in
// turn.
class RecordFiles {
public:
    RecordFiles(base::Fd directory, bool durable);
    RecordFiles(const RecordFiles&) = delete;
    RecordFiles& operator=(const RecordFiles&) = delete;
    ~RecordFiles(); // removes the spares

    struct Listing {
        std::vector<call::Number> numbers; // that a file stands under, ascending
        std::vector<std::string> strange;  // "*.json" that are not a call number's
    };

    // What an earlier process has left half done or kept as a spare is a spare of this one's.
    [[nodiscard]] base::Result<Listing> list();

    [[nodiscard]] base::Status replace(call::Number number, std::string_view text);
    [[nodiscard]] base::Status remove(call::Number number);

    // Renames a record that is of no use to "<number>.json.<why>", or ".<why>.1"… if that name is
    // taken. Returns the new name, or nothing when it had to stay where it is.
    [[nodiscard]] std::optional<std::string> set_aside(call::Number number,
                                                       std::string_view why) const;

    [[nodiscard]] int directory() const { return directory_.get(); }

    [[nodiscard]] static std::string name(call::Number number);

private:
    void adopt_spare(std::string name);
    std::string take_spare();
    std::string name_spare();
    void give_spare(std::string name);

    base::Fd directory_;
    bool durable_;
    std::deque<std::string> spares_; // files that exist; the one that rested longest in front
    unsigned spares_named_ = 0;
};

} // namespace revenant::journal
