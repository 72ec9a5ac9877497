// A directory of records: one file each, "<stem>.json", replaced as a whole.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/files.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"

namespace revenant::journal {

// Writes every record into a spare file and then swaps the two names. Making and deleting an inode
// costs ext4 three times as much as filling one again; so the spares are kept, and used again in
// turn.
class RecordFiles {
public:
    // `root`, the state directory, is borrowed and must stay open. The directory `name` in it is
    // opened by what needs it first.
    RecordFiles(int root, std::string name, bool durable);
    RecordFiles(const RecordFiles&) = delete;
    RecordFiles& operator=(const RecordFiles&) = delete;
    ~RecordFiles(); // removes the spares

    // Makes the directory if it is not there.
    [[nodiscard]] base::Status open();

    // The stems, in no order; none where there is no directory. What an earlier process has left
    // half done or kept as a spare is a spare of this one's.
    [[nodiscard]] base::Result<std::vector<std::string>> list();

    [[nodiscard]] base::Status replace(std::string_view stem, std::string_view text);
    [[nodiscard]] base::Status remove(std::string_view stem);

    // Renames a record that is of no use to "<stem>.json.<why>", or ".<why>.1"… if that name is
    // taken. Returns the new name, or nothing when it had to stay where it is.
    [[nodiscard]] std::optional<std::string> set_aside(std::string_view stem,
                                                       std::string_view why) const;

    [[nodiscard]] int directory() const { return directory_.get(); }

    [[nodiscard]] static std::string file_name(std::string_view stem);

private:
    base::Status open(Missing missing);
    void adopt_spare(std::string name);
    std::string take_spare();
    std::string name_spare();
    void give_spare(std::string name);

    int root_;
    std::string name_;
    base::Fd directory_;
    bool durable_;
    std::deque<std::string> spares_; // files that exist; the one that rested longest in front
    unsigned spares_named_ = 0;
};

} // namespace revenant::journal
