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

// "7.tmp" -> 7; nothing for "07.tmp", "0.tmp", "1000000.tmp".
std::optional<unsigned> spare_number(std::string_view name) {
    constexpr unsigned most = 999'999;
    const std::string_view digits = name.substr(0, name.size() - spare_suffix.size());
    const auto number = base::to_u32(digits);
    if (!number || *number == 0 || *number > most || digits.front() == '0') {
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

// Records hold what must stay secret. The state directory itself may be shared with something else
// and is left as it is; this one is ours.
void keep_private(int directory) {
    struct stat status {};

    if (::fstat(directory, &status) == 0 && (status.st_mode & 0077U) != 0) {
        ::fchmod(directory, 0700);
    }
}

} // namespace

RecordFiles::RecordFiles(int root, std::string name, bool durable)
    : root_{root}, name_{std::move(name)}, durable_{durable} {}

RecordFiles::~RecordFiles() {
    for (const std::string& spare : spares_) {
        ::unlinkat(directory(), spare.c_str(), 0);
    }
}

std::string RecordFiles::file_name(std::string_view stem) {
    return fmt::format("{}{}", stem, record_suffix);
}

base::Status RecordFiles::open() {
    return open(Missing::made);
}

base::Status RecordFiles::open(Missing missing) {
    if (directory_) {
        return {};
    }
    base::Result<base::Fd> opened = open_directory(root_, name_, missing);
    if (!opened) {
        return fail(opened.error());
    }
    directory_ = *std::move(opened);
    if (directory_) {
        keep_private(directory());
    }
    return {};
}

base::Result<std::vector<std::string>> RecordFiles::list() {
    spares_.clear();
    spares_named_ = 0;
    if (base::Status status = open(Missing::left); !status) {
        return fail(status.error());
    }
    std::vector<std::string> stems;
    if (!directory_) {
        return stems;
    }
    // A descriptor of its own, because reading moves its offset and closedir closes it.
    const int fd = ::openat(directory(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseDirectory> entries{fd >= 0 ? ::fdopendir(fd) : nullptr};
    if (!entries) {
        return fail(system_error(errno, fmt::format("cannot list the directory {}", name_)));
    }
    errno = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread, and a stream of its own.
    while (const dirent* entry = ::readdir(entries.get())) {
        const std::string_view file{entry->d_name};
        if (file.ends_with(spare_suffix)) {
            adopt_spare(std::string{file});
        } else if (file.ends_with(record_suffix)) {
            stems.emplace_back(file.substr(0, file.size() - record_suffix.size()));
        }
        errno = 0;
    }
    if (errno != 0) {
        return fail(system_error(errno, fmt::format("cannot list the directory {}", name_)));
    }
    return stems;
}

void RecordFiles::adopt_spare(std::string name) {
    const auto number = spare_number(name);
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

base::Status RecordFiles::replace(std::string_view stem, std::string_view text) {
    if (!directory_) {
        base::Status status = open();
        if (status && durable_) {
            status = sync_directory(root_);
        }
        if (!status) {
            directory_.reset();
            return status;
        }
    }
    const std::string spare = take_spare();
    base::Status status = write_file(directory(), spare, text, durable_);
    if (status) {
        const base::Result<Placed> placed = put_in_place(directory(), spare, file_name(stem));
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

base::Status RecordFiles::remove(std::string_view stem) {
    if (!directory_) {
        return {}; // and so no record
    }
    const std::string record = file_name(stem);
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

std::optional<std::string> RecordFiles::set_aside(std::string_view stem,
                                                  std::string_view why) const {
    const std::string record = file_name(stem);
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
