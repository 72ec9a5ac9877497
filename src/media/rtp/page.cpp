#include "media/rtp/page.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/log.hpp"

namespace revenant::media {

using base::Errc;

namespace {

constexpr std::uint64_t version = 1;
constexpr std::size_t header_size = 4096;
constexpr std::uint32_t slots_at_once = 256; // blocks are allocated 64 kB at a time
constexpr std::size_t file_size = header_size + std::size_t{Page::slot_count} * sizeof(Slot);

std::string why() {
    return std::strerror(errno);
} // NOLINT(concurrency-mt-unsafe): main thread

} // namespace

std::uint64_t hash_boot_id(const std::string& boot_id) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : boot_id) {
        hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
    }
    return hash;
}

struct Page::Header {
    std::uint64_t magic;
    std::uint64_t version;
    std::uint64_t slot_size;
    std::uint64_t slot_count;
    std::atomic<std::uint64_t> slots_used; // how many slots from the first were ever taken
};

Page::Page(base::Fd file)
    : file_{std::move(file)}, boot_{hash_boot_id(base::boot_id())}, opened_at_{base::read_clock()} {
}

Page::~Page() {
    if (memory_ != nullptr) {
        ::munmap(memory_, file_size);
    }
}

// Complete under another name first, so that a kill in between leaves no half-made file.
base::Result<base::Fd> Page::make(const std::string& path) {
    const std::string draft = path + ".tmp";
    base::Fd file{::open(draft.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) {
        return base::fail(Errc::io, fmt::format("cannot make the media page {}: {}", draft, why()));
    }
    const std::uint64_t header[] = {page_magic, version, sizeof(Slot), slot_count, 0};
    const int full = ::posix_fallocate(file.get(), 0, header_size);
    if (full != 0) {
        errno = full;
        return base::fail(full == ENOSPC ? Errc::no_space : Errc::io,
                          fmt::format("cannot allocate the media page {}: {}", draft, why()));
    }
    if (::pwrite(file.get(), static_cast<const void*>(header), sizeof header, 0) !=
            static_cast<ssize_t>(sizeof header) ||
        ::ftruncate(file.get(), static_cast<off_t>(file_size)) != 0 ||
        ::rename(draft.c_str(), path.c_str()) != 0) {
        return base::fail(Errc::io, fmt::format("cannot make the media page {}: {}", path, why()));
    }
    return file;
}

base::Result<std::unique_ptr<Page>> Page::open(const std::string& path) {
    bool damaged = false;
    base::Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
    if (!file && errno != ENOENT && errno != ELOOP) {
        return base::fail(Errc::io, fmt::format("cannot open the media page {}: {}", path, why()));
    }
    damaged = !file && errno == ELOOP;
    if (file) {
        std::uint64_t header[4] = {};

        struct stat status {};

        const bool whole = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                           ::pread(file.get(), static_cast<void*>(header), sizeof header, 0) ==
                               static_cast<ssize_t>(sizeof header) &&
                           header[0] == page_magic;
        if (whole && header[1] > version) {
            return base::fail(Errc::too_new,
                              fmt::format("the media page {} has version {}, this program knows {}",
                                          path, header[1], version));
        }
        damaged = !whole || header[1] != version || header[2] != sizeof(Slot) ||
                  header[3] != slot_count || status.st_size != static_cast<off_t>(file_size);
    }
    if (damaged) {
        const std::string aside = path + ".corrupt";
        if (::rename(path.c_str(), aside.c_str()) != 0) {
            return base::fail(
                Errc::io,
                fmt::format("cannot move the damaged media page {} aside: {}", path, why()));
        }
        base::log(base::Level::warning,
                  fmt::format("the media page was damaged, moved to {}; calls go on by the clock",
                              aside));
        file.reset();
    }
    const bool fresh = !file;
    if (fresh) {
        auto made = make(path);
        if (!made) {
            return base::fail(made.error());
        }
        file = std::move(*made);
    }
    // The constructor is private; make_unique cannot reach it.
    std::unique_ptr<Page> page{new Page{std::move(file)}};
    page->fresh_ = fresh;
    if (auto mapped = page->map(); !mapped) {
        return base::fail(mapped.error());
    }
    page->read_slots();
    return page;
}

base::Status Page::map() {
    void* memory = ::mmap(nullptr, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (memory == MAP_FAILED) {
        return base::fail(Errc::io, fmt::format("cannot map the media page: {}", why()));
    }
    memory_ = static_cast<std::uint8_t*>(memory);
    // SAFETY: the file has been checked to have this layout and size; all fields are integers or
    // lock-free atomics over integers, for which every bit pattern is a value. Both pointers live
    // as long as the mapping, which ends in the destructor.
    header_ = std::launder(reinterpret_cast<Header*>(memory_));
    slots_ = std::launder(reinterpret_cast<Slot*>(memory_ + header_size));
    return {};
}

void Page::read_slots() {
    const auto used =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(header_->slots_used.load(), slot_count));
    allocated_ = used; // their blocks exist, or they could not have been written
    for (std::uint32_t i = 0; i < used; ++i) {
        Slot& slot = slots_[i];
        const auto run = slot.used() ? slot.run() : std::nullopt;
        if (!run || by_call_.contains(slot.call())) {
            if (slot.used()) {
                base::log(base::Level::warning,
                          fmt::format("slot {} of the media page cannot be read, dropped", i));
                slot.clear();
            }
            free_.push_back(i);
            continue;
        }
        if (!slot.of_boot(boot_)) {
            // Idempotent, since `real_ns` stays: a kill here repeats it from the same numbers.
            const bool paused = slot.paused();
            slot.rebase_last(opened_at_);
            slot.set_run(rebased(*run, opened_at_), boot_);
            if (paused) {
                slot.set_paused();
            }
        }
        by_call_.emplace(slot.call(), i);
        unclaimed_.push_back(i);
    }
}

Slot* Page::find(call::Number call, std::uint32_t ssrc) {
    const auto found = by_call_.find(call);
    if (found == by_call_.end() || slots_[found->second].ssrc() != ssrc) {
        return nullptr;
    }
    std::erase(unclaimed_, found->second);
    return &slots_[found->second];
}

base::Status Page::allocate(std::uint32_t slot) {
    while (slot >= allocated_) {
        const std::uint32_t first = allocated_ / slots_at_once * slots_at_once;
        const auto from = static_cast<off_t>(header_size + std::size_t{first} * sizeof(Slot));
        const int error =
            ::posix_fallocate(file_.get(), from, static_cast<off_t>(slots_at_once * sizeof(Slot)));
        if (error != 0) {
            errno = error;
            return base::fail(error == ENOSPC ? Errc::no_space : Errc::io,
                              fmt::format("cannot give the media page another block: {}", why()));
        }
        allocated_ = first + slots_at_once;
    }
    return {};
}

base::Result<std::uint32_t> Page::unused_slot() {
    if (!free_.empty()) {
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        return slot;
    }
    const std::uint64_t next = header_->slots_used.load();
    if (next < slot_count) {
        const auto slot = static_cast<std::uint32_t>(next);
        if (auto done = allocate(slot); !done) {
            return base::fail(done.error());
        }
        header_->slots_used.store(next + 1);
        return slot;
    }
    if (unclaimed_.empty()) {
        return base::fail(Errc::no_space, "the media page is full, no further call can have media");
    }
    const std::uint32_t slot = unclaimed_.back();
    unclaimed_.pop_back();
    by_call_.erase(slots_[slot].call());
    slots_[slot].clear();
    return slot;
}

base::Result<Slot*> Page::take(call::Number call, std::uint32_t ssrc, const Run& run) {
    if (const auto old = by_call_.find(call); old != by_call_.end()) {
        release(&slots_[old->second]);
    }
    const auto number = unused_slot();
    if (!number) {
        return base::fail(number.error());
    }
    Slot& slot = slots_[*number];
    slot.clear();
    slot.set_run(run, boot_);
    slot.set_origin(run.timestamp);
    slot.key_.store((std::uint64_t{call} << 32U) | ssrc, std::memory_order_release);
    by_call_.emplace(call, *number);
    return &slot;
}

void Page::release(Slot* slot) {
    const auto number = static_cast<std::uint32_t>(slot - slots_);
    by_call_.erase(slot->call());
    std::erase(unclaimed_, number);
    slot->clear();
    free_.push_back(number);
}

} // namespace revenant::media
