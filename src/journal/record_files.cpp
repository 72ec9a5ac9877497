#include "journal/record_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "journal/files.hpp"
#include "revenant/base/text.hpp"

namespace revenant::journal {

namespace {

using base::fail;

constexpr std::size_t spares_max = 256; // a megabyte of disk; enough for a burst of calls that end
constexpr std::string_view record_suffix = ".json";
constexpr std::string_view spare_suffix = ".tmp";

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

// "7.json" -> 7; nothing for "07.json", "0.json", "1000000.json".
std::optional<call::Number> number_of(std::string_view name, std::string_view suffix) {
    const std::string_view digits = name.substr(0, name.size() - suffix.size());
    const auto number = base::to_u32(digits);
    if (!number || *number == 0 || *number > call::number_max || digits.front() == '0') {
        return std::nullopt;
    }
    return number;
}

bool exists(int directory, const std::string& name) {
    struct stat status {};

    return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

bool is_regular(int directory, const std::string& name) {
    struct stat status {};

    return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode);
}

} // namespace

RecordFiles::RecordFiles(base::Fd directory, bool durable)
    : directory_{std::move(directory)}, durable_{durable} {}

RecordFiles::~RecordFiles() {
    for (const std::string& spare : spares_) {
        ::unlinkat(directory(), spare.c_str(), 0);
    }
}

std::string RecordFiles::name(call::Number number) {
    return fmt::format("{}{}", number, record_suffix);
}

base::Result<RecordFiles::Listing> RecordFiles::list() {
    spares_.clear();
    spares_named_ = 0;
    // A descriptor of its own, because reading moves its offset and closedir closes it.
    const int fd = ::openat(directory(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseDirectory> entries{fd >= 0 ? ::fdopendir(fd) : nullptr};
    if (!entries) {
        return fail(system_error(errno, "cannot list the directory of dialog records"));
    }
    Listing listing;
    errno = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread, and a stream of its own.
    while (const dirent* entry = ::readdir(entries.get())) {
        const std::string_view file{entry->d_name};
        if (file.ends_with(spare_suffix)) {
            adopt_spare(std::string{file});
        } else if (!file.ends_with(record_suffix)) {
            continue;
        } else if (const auto number = number_of(file, record_suffix)) {
            listing.numbers.push_back(*number);
        } else {
            listing.strange.emplace_back(file);
        }
        errno = 0;
    }
    if (errno != 0) {
        return fail(system_error(errno, "cannot list the directory of dialog records"));
    }
    std::ranges::sort(listing.numbers);
    std::ranges::sort(listing.strange);
    return listing;
}

void RecordFiles::adopt_spare(std::string name) {
    const auto number = number_of(name, spare_suffix);
    spares_named_ = std::max(spares_named_, number.value_or(0)); // whatever it is, it has the name
    if (number && is_regular(directory(), name)) {
        give_spare(std::move(name));
    } else {
        ::unlinkat(directory(), name.c_str(), 0);
    }
}

std::string RecordFiles::take_spare() {
    if (spares_.empty()) {
        return name_spare();
    }
    std::string spare = std::move(spares_.front());
    spares_.pop_front();
    return spare;
}

std::string RecordFiles::name_spare() {
    return fmt::format("{}{}", ++spares_named_, spare_suffix);
}

void RecordFiles::give_spare(std::string name) {
    if (spares_.size() < spares_max) {
        spares_.push_back(std::move(name));
    } else {
        ::unlinkat(directory(), name.c_str(), 0);
    }
}

base::Status RecordFiles::replace(call::Number number, std::string_view text) {
    const std::string spare = take_spare();
    base::Status status = write_file(directory(), spare, text, durable_);
    if (status) {
        const base::Result<Placed> placed = put_in_place(directory(), spare, name(number));
        if (!placed) {
            status = fail(placed.error());
        } else if (*placed == Placed::exchanged) {
            give_spare(spare);
        }
    }
    if (!status) {
        ::unlinkat(directory(), spare.c_str(), 0); // gives back what it took of a full disk
        return status;
    }
    return durable_ ? sync_directory(directory()) : base::Status{};
}

base::Status RecordFiles::remove(call::Number number) {
    const std::string record = name(number);
    if (spares_.size() < spares_max) {
        std::string spare = name_spare();
        if (::renameat(directory(), record.c_str(), directory(), spare.c_str()) == 0) {
            give_spare(std::move(spare));
        } else if (errno != ENOENT) {
            return fail(system_error(errno, fmt::format("cannot remove {}", record)));
        }
    } else if (::unlinkat(directory(), record.c_str(), 0) != 0 && errno != ENOENT) {
        return fail(system_error(errno, fmt::format("cannot remove {}", record)));
    }
    return durable_ ? sync_directory(directory()) : base::Status{};
}

std::optional<std::string> RecordFiles::set_aside(call::Number number, std::string_view why) const {
    const std::string record = name(number);
    std::string aside = fmt::format("{}.{}", record, why);
    for (int i = 1; exists(directory(), aside); ++i) {
        aside = fmt::format("{}.{}.{}", record, why, i);
    }
    if (::renameat(directory(), record.c_str(), directory(), aside.c_str()) != 0) {
        return std::nullopt;
    }
    return aside;
}

} // namespace revenant::journal
