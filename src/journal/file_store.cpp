#include "revenant/journal/file_store.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "journal/files.hpp"
#include "journal/record_files.hpp"
#include "journal/state_directory.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

namespace {

using base::Errc;
using base::fail;

// How far ahead of the records the epoch goes on when it is lost: more starts than can have passed
// without storing any record (state/README.md, "Epoch").
constexpr std::uint32_t epoch_gap = 1000;

// A record's file as it was found; what to do with it is decided in the order of the numbers.
struct Found {
    Read read;
    base::Result<call::Dialog> dialog = fail(Errc::corrupt, "not read"); // of a whole one
};

Found look_at(int directory, call::Number number, std::string& buffer) {
    const base::InHand hand{base::mark_of_reading(number)};
    base::pass_step("", "read", number);
    Found found;
    {
        const base::DiskWait wait; // not around the decoding, which waits for nothing
        found.read = read_file(directory, RecordFiles::name(number), record_size_max, buffer);
    }
    if (found.read.content == Content::whole) {
        found.dialog = decode(buffer);
    }
    return found;
}

// Most of the time of a start with thousands of records is spent here, so a second thread helps.
std::vector<Found> look_at_all(int directory, const std::vector<call::Number>& numbers) {
    constexpr std::size_t worth_a_thread = 256;
    constexpr std::size_t share = 16;
    std::vector<Found> found(numbers.size());
    std::atomic<std::size_t> taken = 0;
    const auto work = [&](bool is_main) {
        std::string buffer;
        std::size_t begin = 0;
        while ((begin = taken.fetch_add(share)) < numbers.size()) {
            for (std::size_t i = begin; i < std::min(begin + share, numbers.size()); ++i) {
                found[i] = look_at(directory, numbers[i], buffer);
            }
            if (is_main) {
                base::get_on();
            }
        }
    };
    std::jthread helper;
    if (numbers.size() >= worth_a_thread) {
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

class FileStore final : public PromptStore {
public:
    using PromptStore::remove;
    using PromptStore::save;

    FileStore(const FileStoreSettings& settings, StateDirectory directory)
        : path_{settings.directory}, durable_{settings.durable}, root_{std::move(directory.root)},
          lock_{std::move(directory.lock)}, files_{std::move(directory.dialogs), settings.durable} {
    }

    base::Result<Loaded> load() override;
    base::Status save(const call::Dialog& dialog) override;
    base::Status remove(call::Number number) override;
    base::Result<std::uint32_t> next_epoch() override;
    base::Result<std::string> quarantine(call::Number number) override;

private:
    base::Result<RecordFiles::Listing> list();
    void take(call::Number number, Found found, Loaded& loaded);
    void leave(call::Number number, base::Error error, Loaded& loaded);
    void put_aside(call::Number number, std::string why, Loaded& loaded);
    void load_epoch(Loaded& loaded);
    base::Status usable(call::Number number) const;
    std::string file(call::Number number) const;

    std::string path_;
    bool durable_;
    base::Fd root_;
    base::Fd lock_;
    RecordFiles files_;
    std::unordered_set<call::Number> taken_;
    bool loaded_ = false;
    std::uint64_t epoch_ = 0; // the last one that may have been used
};

std::string FileStore::file(call::Number number) const {
    return fmt::format("{}/dialogs/{}", path_, RecordFiles::name(number));
}

void FileStore::leave(call::Number number, base::Error error, Loaded& loaded) {
    error.context = fmt::format("{}: {}; it stays where it is", file(number), error.context);
    loaded.rejected.push_back({.path = file(number), .error = std::move(error)});
    loaded.taken.push_back(number);
    taken_.insert(number);
}

void FileStore::put_aside(call::Number number, std::string why, Loaded& loaded) {
    const base::DiskWait wait;
    const std::optional<std::string> aside = files_.set_aside(number, "corrupt");
    if (!aside) {
        why += fmt::format(", and it cannot be renamed ({})",
                           system_error(errno, RecordFiles::name(number)).context);
        leave(number, {.code = Errc::corrupt, .context = std::move(why)}, loaded);
        return;
    }
    loaded.rejected.push_back(
        {.path = fmt::format("{}/dialogs/{}", path_, *aside),
         .error = {.code = Errc::corrupt,
                   .context = fmt::format("{}: {}; it is now {}", file(number), why, *aside)}});
}

void FileStore::take(call::Number number, Found found, Loaded& loaded) {
    switch (found.read.content) {
    case Content::absent: return;
    case Content::foreign:
        leave(number, {.code = Errc::corrupt, .context = "not a regular file"}, loaded);
        return;
    case Content::unreadable: leave(number, std::move(found.read.error), loaded); return;
    case Content::too_long:
        put_aside(number, fmt::format("longer than {} bytes", record_size_max), loaded);
        return;
    case Content::whole: break;
    }
    base::Result<call::Dialog>& dialog = found.dialog;
    if (!dialog && dialog.error().code == Errc::too_new) {
        leave(number, dialog.error(), loaded);
    } else if (!dialog) {
        put_aside(number, dialog.error().context, loaded);
    } else if (dialog->number != number) {
        put_aside(number, fmt::format("the record is of call {}", dialog->number), loaded);
    } else {
        loaded.dialogs.push_back(*std::move(dialog));
    }
}

void FileStore::load_epoch(Loaded& loaded) {
    const base::DiskWait wait;
    std::uint32_t highest = 0;
    for (const call::Dialog& dialog : loaded.dialogs) {
        highest = std::max(highest, dialog.epoch);
    }
    std::string text;
    Read read = read_file(root_.get(), "epoch", 64, text);
    const auto stored = read.content == Content::whole ? base::to_u32(base::trim(text))
                                                       : std::optional<std::uint32_t>{};
    if (stored && *stored >= highest) {
        epoch_ = *stored;
        return;
    }
    if (read.content == Content::absent && loaded.dialogs.empty() && loaded.rejected.empty()) {
        epoch_ = 0; // the first start
        return;
    }
    epoch_ = std::uint64_t{std::max(highest, stored.value_or(0))} + epoch_gap;
    std::string why = stored                                ? "is below that of a record"
                      : read.content == Content::absent     ? "is missing"
                      : read.content == Content::unreadable ? read.error.context
                                                            : "is not a number";
    loaded.rejected.push_back(
        {.path = path_ + "/epoch",
         .error = {.code = Errc::corrupt,
                   .context = fmt::format("{}/epoch: {}; starts are counted on from {}", path_, why,
                                          epoch_)}});
}

base::Result<RecordFiles::Listing> FileStore::list() {
    const base::DiskWait wait;
    return files_.list();
}

base::Result<Loaded> FileStore::load() {
    loaded_ = false;
    taken_.clear();
    base::Result<RecordFiles::Listing> listing = list();
    if (!listing) {
        return fail(listing.error().code, fmt::format("in {}: {}", path_, listing.error().context));
    }
    Loaded loaded;
    loaded.dialogs.reserve(listing->numbers.size());
    for (const std::string& name : listing->strange) {
        const std::string path = fmt::format("{}/dialogs/{}", path_, name);
        loaded.rejected.push_back(
            {.path = path,
             .error = {.code = Errc::corrupt,
                       .context = path + ": the name is not a call number; it stays where it is"}});
    }
    std::vector<Found> found = look_at_all(files_.directory(), listing->numbers);
    for (std::size_t i = 0; i < found.size(); ++i) {
        take(listing->numbers[i], std::move(found[i]), loaded);
    }
    load_epoch(loaded);
    loaded_ = true;
    return loaded;
}

base::Status FileStore::usable(call::Number number) const {
    if (!loaded_) {
        return fail(Errc::not_now, fmt::format("{} has not been loaded yet", path_));
    }
    if (taken_.contains(number)) {
        return fail(Errc::not_now, fmt::format("{} holds a record that cannot be read and must "
                                               "not be lost; take another number",
                                               file(number)));
    }
    return {};
}

base::Status FileStore::save(const call::Dialog& dialog) {
    const base::DiskWait wait;
    if (base::Status status = usable(dialog.number); !status) {
        return status;
    }
    if (const base::Status status = check(dialog); !status) {
        return fail(status.error().code, fmt::format("call {} cannot be stored: {}", dialog.number,
                                                     status.error().context));
    }
    const base::Status status = files_.replace(dialog.number, encode(dialog));
    if (!status) {
        return fail(status.error().code, fmt::format("call {} cannot be stored in {}/dialogs: {}",
                                                     dialog.number, path_, status.error().context));
    }
    return {};
}

base::Status FileStore::remove(call::Number number) {
    const base::DiskWait wait;
    if (base::Status status = usable(number); !status) {
        return status;
    }
    const base::Status status = files_.remove(number);
    if (!status) {
        return fail(status.error().code, fmt::format("the record of call {} in {}/dialogs: {}",
                                                     number, path_, status.error().context));
    }
    return {};
}

base::Result<std::string> FileStore::quarantine(call::Number number) {
    const base::DiskWait wait;
    const std::optional<std::string> aside = files_.set_aside(number, "quarantined");
    if (!aside) {
        const base::Error error =
            system_error(errno, fmt::format("{} cannot be renamed", file(number)));
        taken_.insert(number);
        return fail(error);
    }
    if (durable_) {
        static_cast<void>(sync_directory(files_.directory()));
    }
    return fmt::format("{}/dialogs/{}", path_, *aside);
}

base::Result<std::uint32_t> FileStore::next_epoch() {
    const base::DiskWait wait;
    if (!loaded_) {
        return fail(Errc::not_now, fmt::format("{} has not been loaded yet", path_));
    }
    const std::uint64_t next = epoch_ + 1;
    if (next > std::numeric_limits<std::uint32_t>::max()) {
        return fail(Errc::corrupt, fmt::format("{}/epoch has reached its highest value; end all "
                                               "calls and delete the directory",
                                               path_));
    }
    const std::string text = fmt::format("{}\n", next);
    base::Status status = write_file(root_.get(), "epoch.tmp", text, durable_);
    if (status) {
        const base::Result<Placed> placed = put_in_place(root_.get(), "epoch.tmp", "epoch");
        status = placed ? base::Status{} : fail(placed.error());
        if (placed && *placed == Placed::alone) {
            // So that the next start needs no space, should the disk be full by then.
            static_cast<void>(write_file(root_.get(), "epoch.tmp", text, false));
        }
    }
    if (status && durable_) {
        status = sync_directory(root_.get());
    }
    if (!status) {
        return fail(status.error().code, fmt::format("this start cannot be counted in {}: {}",
                                                     path_, status.error().context));
    }
    epoch_ = next;
    return static_cast<std::uint32_t>(next);
}

} // namespace

base::Result<std::unique_ptr<PromptStore>> open_file_store(const FileStoreSettings& settings) {
    const base::DiskWait wait;
    base::Result<StateDirectory> directory = open_state_directory(settings.directory);
    if (!directory) {
        return fail(directory.error());
    }
    return std::make_unique<FileStore>(settings, *std::move(directory));
}

} // namespace revenant::journal
