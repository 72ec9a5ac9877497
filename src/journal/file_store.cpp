#include "revenant/journal/file_store.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "journal/files.hpp"
#include "journal/shelf.hpp"
#include "journal/state_directory.hpp"
#include "revenant/account/account.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

namespace {

using base::Errc;
using base::fail;

// How far ahead of the records the epoch goes on when it is lost: more starts than can have passed
// without storing any record (state/README.md, "Epoch").
constexpr std::uint32_t epoch_gap = 1000;

struct Calls {
    using Key = call::Number;
    using Record = call::Dialog;
    static constexpr std::string_view directory = "dialogs";
    static constexpr std::string_view bad_name = "the name is not a call number";
    static constexpr std::string_view way_out = "take another number";

    // Nothing for "07", "0", "1000000".
    static std::optional<Key> key(std::string_view stem) {
        const auto number = base::to_u32(stem);
        if (!number || *number == 0 || *number > call::number_max || stem.front() == '0') {
            return std::nullopt;
        }
        return number;
    }

    static std::string stem(Key key) { return std::to_string(key); }

    static std::string title(Key key) { return fmt::format("call {}", key); }

    static const Key& key_of(const Record& record) { return record.number; }

    static base::Result<Record> read(Key key, std::string_view text) {
        base::pass_step("", "read", key);
        return decode(text);
    }

    static base::Mark reading(Key key) { return base::mark_of_reading(key); }
};

struct Accounts {
    using Key = std::string;
    using Record = account::Registration;
    static constexpr std::string_view directory = "registrations";
    static constexpr std::string_view bad_name = "the name is not an account's";
    static constexpr std::string_view way_out = "use the version that wrote it, or move it away";

    static std::optional<Key> key(const std::string& stem) {
        return account::is_name(stem) ? std::optional{stem} : std::nullopt;
    }

    static const std::string& stem(const Key& key) { return key; }

    static std::string title(const Key& key) { return fmt::format("account {}", key); }

    static const Key& key_of(const Record& record) { return record.account; }

    static base::Result<Record> read(const Key& /*key*/, std::string_view text) {
        return decode_registration(text);
    }

    static base::Mark reading(const Key& /*key*/) { return base::Mark::none; } // no call's
};

class FileStore final : public PromptStore {
public:
    using PromptStore::remove;
    using PromptStore::remove_registration;
    using PromptStore::save;

    FileStore(const FileStoreSettings& settings, StateDirectory directory)
        : path_{settings.directory}, durable_{settings.durable}, root_{std::move(directory.root)},
          lock_{std::move(directory.lock)}, dialogs_{path_, root_.get(), durable_},
          registrations_{path_, root_.get(), durable_} {}

    base::Status open() { return dialogs_.open(); }

    base::Result<Loaded> load() override;
    base::Result<std::uint32_t> next_epoch() override;

    base::Status save(const call::Dialog& dialog) override { return dialogs_.save(dialog); }

    base::Status remove(call::Number number) override { return dialogs_.remove(number); }

    base::Status save(const account::Registration& registration) override {
        return registrations_.save(registration);
    }

    base::Status remove_registration(const std::string& account) override {
        return registrations_.remove(account);
    }

    base::Result<std::string> quarantine(call::Number number) override {
        return dialogs_.quarantine(number);
    }

private:
    void load_epoch(Loaded& loaded);
    void load_registrations(Loaded& loaded);

    std::string path_;
    bool durable_;
    base::Fd root_;
    base::Fd lock_;
    Shelf<Calls> dialogs_;
    Shelf<Accounts> registrations_;
    std::uint64_t epoch_ = 0; // the last one that may have been used
};

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

// No call is lost for an account: what cannot be read is told, and nothing is stored there.
void FileStore::load_registrations(Loaded& loaded) {
    base::Result<Shelf<Accounts>::Content> found = registrations_.load();
    if (!found) {
        loaded.rejected.push_back({.path = registrations_.path(), .error = found.error()});
        return;
    }
    loaded.registrations = std::move(found->records);
    std::ranges::move(found->rejected, std::back_inserter(loaded.rejected));
}

base::Result<Loaded> FileStore::load() {
    base::Result<Shelf<Calls>::Content> found = dialogs_.load();
    if (!found) {
        return fail(found.error());
    }
    Loaded loaded{.dialogs = std::move(found->records),
                  .registrations = {},
                  .rejected = std::move(found->rejected),
                  .taken = std::move(found->taken)};
    load_epoch(loaded);
    load_registrations(loaded);
    return loaded;
}

base::Result<std::uint32_t> FileStore::next_epoch() {
    const base::DiskWait wait;
    if (const base::Status& loaded = dialogs_.loaded(); !loaded) {
        return fail(loaded.error());
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
    auto store = std::make_unique<FileStore>(settings, *std::move(directory));
    if (const base::Status status = store->open(); !status) {
        return fail(status.error());
    }
    return store;
}

} // namespace revenant::journal
