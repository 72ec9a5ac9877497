// The records of one kind, in a directory of their own: read at the start, with what is of no use
// told and set aside; then saved and removed one by one.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "journal/files.hpp"
#include "journal/record_files.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::journal {

// A kind says what its records are known by, and how that is told to people:
//   Key, Record                            directory, bad_name, way_out: texts
//   optional<Key> key(stem)                string stem(key), title(key): "call 7"
//   Key key_of(record)                     Result<Record> read(key, text)
//   Mark reading(key): what the thread has in hand while it reads that record
template <typename Kind>
class Shelf {
public:
    using Key = typename Kind::Key;
    using Record = typename Kind::Record;

    // `path` is the state directory's, for texts; `root` is that directory, borrowed.
    Shelf(std::string path, int root, bool durable)
        : path_{std::move(path)}, durable_{durable}, files_{root, std::string{Kind::directory},
                                                            durable} {}

    struct Content {
        std::vector<Record> records; // ascending
        std::vector<Rejected> rejected;
        std::vector<Key> taken; // as Loaded::taken
    };

    // Makes the directory, which is otherwise made with the first record.
    [[nodiscard]] base::Status open() { return in_path(files_.open()); }

    [[nodiscard]] base::Result<Content> load();
    [[nodiscard]] base::Status save(const Record& record);
    [[nodiscard]] base::Status remove(const Key& key);
    [[nodiscard]] base::Result<std::string> quarantine(const Key& key);

    [[nodiscard]] std::string path() const { return fmt::format("{}/{}", path_, Kind::directory); }

    // Why nothing is saved or removed.
    [[nodiscard]] const base::Status& loaded() const { return loaded_; }

private:
    // A file as it was found; what to do with it is decided in the order of the keys.
    struct Found {
        Read read;
        base::Result<Record> record = base::fail(base::Errc::corrupt, "not read"); // of a whole one
    };

    [[nodiscard]] Found look_at(const Key& key, std::string& buffer) const;
    [[nodiscard]] std::vector<Found> look_at_all(const std::vector<Key>& keys) const;
    void take(const Key& key, Found found, Content& content);
    void leave(const Key& key, base::Error error, Content& content);
    void put_aside(const Key& key, std::string why, Content& content);
    [[nodiscard]] base::Result<std::vector<std::string>> list();
    [[nodiscard]] base::Status usable(const Key& key) const;

    [[nodiscard]] std::string file(const Key& key) const {
        return fmt::format("{}/{}", path(), RecordFiles::file_name(Kind::stem(key)));
    }

    [[nodiscard]] base::Status in_path(const base::Status& status) const {
        if (status) {
            return status;
        }
        return base::fail(status.error().code,
                          fmt::format("in {}: {}", path_, status.error().context));
    }

    std::string path_;
    bool durable_;
    RecordFiles files_;
    std::set<Key> taken_;
    base::Status loaded_ =
        base::fail(base::Errc::not_now, fmt::format("{} has not been loaded yet", path_));
};

template <typename Kind>
typename Shelf<Kind>::Found Shelf<Kind>::look_at(const Key& key, std::string& buffer) const {
    const base::InHand hand{Kind::reading(key)};
    Found found;
    {
        const base::DiskWait wait; // not around the decoding, which waits for nothing
        found.read = read_file(files_.directory(), RecordFiles::file_name(Kind::stem(key)),
                               record_size_max, buffer);
    }
    if (found.read.content == journal::Content::whole) {
        found.record = Kind::read(key, buffer);
    }
    return found;
}

// Most of the time of a start with thousands of records is spent here, so a second thread helps.
template <typename Kind>
std::vector<typename Shelf<Kind>::Found>
Shelf<Kind>::look_at_all(const std::vector<Key>& keys) const {
    constexpr std::size_t worth_a_thread = 256;
    constexpr std::size_t share = 16;
    std::vector<Found> found(keys.size());
    std::atomic<std::size_t> taken = 0;
    const auto work = [&](bool is_main) {
        std::string buffer;
        std::size_t begin = 0;
        while ((begin = taken.fetch_add(share)) < keys.size()) {
            for (std::size_t i = begin; i < std::min(begin + share, keys.size()); ++i) {
                found[i] = look_at(keys[i], buffer);
            }
            if (is_main) {
                base::get_on();
            }
        }
    };
    std::jthread helper;
    if (keys.size() >= worth_a_thread) {
        try {
            helper = std::jthread{work, false};
        } catch (const std::system_error&) {
            // No threads to be had: it takes longer.
        }
    }
    work(true);
    if (helper.joinable()) {
        helper.join();
    }
    return found;
}

template <typename Kind>
void Shelf<Kind>::leave(const Key& key, base::Error error, Content& content) {
    error.context = fmt::format("{}: {}; it stays where it is", file(key), error.context);
    content.rejected.push_back({.path = file(key), .error = std::move(error)});
    content.taken.push_back(key);
    taken_.insert(key);
}

template <typename Kind>
void Shelf<Kind>::put_aside(const Key& key, std::string why, Content& content) {
    const base::DiskWait wait;
    const std::optional<std::string> aside = files_.set_aside(Kind::stem(key), "corrupt");
    if (!aside) {
        const std::string name = RecordFiles::file_name(Kind::stem(key));
        why += fmt::format(", and it cannot be renamed ({})", system_error(errno, name).context);
        leave(key, {.code = base::Errc::corrupt, .context = std::move(why)}, content);
        return;
    }
    content.rejected.push_back(
        {.path = fmt::format("{}/{}", path(), *aside),
         .error = {.code = base::Errc::corrupt,
                   .context = fmt::format("{}: {}; it is now {}", file(key), why, *aside)}});
}

template <typename Kind>
void Shelf<Kind>::take(const Key& key, Found found, Content& content) {
    using enum journal::Content;
    switch (found.read.content) {
    case absent: return;
    case foreign:
        leave(key, {.code = base::Errc::corrupt, .context = "not a regular file"}, content);
        return;
    case unreadable: leave(key, std::move(found.read.error), content); return;
    case too_long:
        put_aside(key, fmt::format("longer than {} bytes", record_size_max), content);
        return;
    case whole: break;
    }
    base::Result<Record>& record = found.record;
    if (!record && record.error().code == base::Errc::too_new) {
        leave(key, record.error(), content);
    } else if (!record) {
        put_aside(key, record.error().context, content);
    } else if (const Key& own = Kind::key_of(*record); own != key) {
        put_aside(key, fmt::format("the record is of {}", Kind::title(own)), content);
    } else {
        content.records.push_back(*std::move(record));
    }
}

template <typename Kind>
base::Result<std::vector<std::string>> Shelf<Kind>::list() {
    const base::DiskWait wait;
    return files_.list();
}

template <typename Kind>
base::Result<typename Shelf<Kind>::Content> Shelf<Kind>::load() {
    taken_.clear();
    base::Result<std::vector<std::string>> stems = list();
    if (!stems) {
        loaded_ = in_path(base::fail(stems.error()));
        return base::fail(loaded_.error());
    }
    std::ranges::sort(*stems); // for the strange ones
    Content content;
    std::vector<Key> keys;
    keys.reserve(stems->size());
    for (const std::string& stem : *stems) {
        if (std::optional<Key> key = Kind::key(stem)) {
            keys.push_back(*std::move(key));
            continue;
        }
        const std::string name = fmt::format("{}/{}", path(), RecordFiles::file_name(stem));
        content.rejected.push_back({.path = name,
                                    .error = {.code = base::Errc::corrupt,
                                              .context = fmt::format("{}: {}; it stays where it is",
                                                                     name, Kind::bad_name)}});
    }
    std::ranges::sort(keys);
    content.records.reserve(keys.size());
    std::vector<Found> found = look_at_all(keys);
    for (std::size_t i = 0; i < found.size(); ++i) {
        take(keys[i], std::move(found[i]), content);
    }
    loaded_ = {};
    return content;
}

template <typename Kind>
base::Status Shelf<Kind>::usable(const Key& key) const {
    if (loaded_ && taken_.contains(key)) {
        return base::fail(base::Errc::not_now,
                          fmt::format("{} holds a record that cannot be read and must not be "
                                      "lost; {}",
                                      file(key), Kind::way_out));
    }
    return loaded_;
}

template <typename Kind>
base::Status Shelf<Kind>::save(const Record& record) {
    const base::DiskWait wait;
    const Key& key = Kind::key_of(record);
    if (base::Status status = usable(key); !status) {
        return status;
    }
    if (const base::Status status = check(record); !status) {
        return base::fail(
            status.error().code,
            fmt::format("{} cannot be stored: {}", Kind::title(key), status.error().context));
    }
    const base::Status status = files_.replace(Kind::stem(key), encode(record));
    if (!status) {
        return base::fail(status.error().code,
                          fmt::format("{} cannot be stored in {}: {}", Kind::title(key), path(),
                                      status.error().context));
    }
    return {};
}

template <typename Kind>
base::Status Shelf<Kind>::remove(const Key& key) {
    const base::DiskWait wait;
    if (base::Status status = usable(key); !status) {
        return status;
    }
    const base::Status status = files_.remove(Kind::stem(key));
    if (!status) {
        return base::fail(status.error().code,
                          fmt::format("the record of {} in {}: {}", Kind::title(key), path(),
                                      status.error().context));
    }
    return {};
}

template <typename Kind>
base::Result<std::string> Shelf<Kind>::quarantine(const Key& key) {
    const base::DiskWait wait;
    const std::optional<std::string> aside = files_.set_aside(Kind::stem(key), "quarantined");
    if (!aside) {
        const base::Error error =
            system_error(errno, fmt::format("{} cannot be renamed", file(key)));
        taken_.insert(key);
        return base::fail(error);
    }
    if (durable_) {
        static_cast<void>(sync_directory(files_.directory()));
    }
    return fmt::format("{}/{}", path(), *aside);
}

} // namespace revenant::journal
