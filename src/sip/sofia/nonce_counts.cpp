#include "sip/sofia/nonce_counts.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/random.hpp"
#include "sip/sofia/digest.hpp"

namespace revenant::sip {

namespace {

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free, "a lock in the page would not survive a kill");

constexpr std::uint64_t magic = 0x636e6f6e6e767231; // "1rvnnonc"
constexpr std::uint64_t version = 1;
constexpr std::size_t slot_count = 4096;
// More than one nonce is ever used; a count above it was never ours.
constexpr std::uint64_t count_end = 0x8000'0000;

// Of one (user, realm, nonce). Every pattern of bits is a value.
struct Slot {
    Word key; // a hash; 0: free. Stored last when the slot is taken
    Word count;
    Word turn; // of Page's, when it was used last
    Word unused;
};

struct Page {
    Word magic_word;
    Word version_word;
    Word turn;
    std::array<Word, 2> secret; // that client nonces are made of
    std::array<Word, 507> unused;
    std::array<Slot, slot_count> slots;
};

static_assert(sizeof(Page) == 4096 + slot_count * 32);

// NOLINTNEXTLINE(*-avoid-non-const-global-variables): while there is no file
Page in_memory{};

Page*& current() {
    static Page* page = &in_memory;
    return page;
}

std::uint64_t key_of(std::string_view user, const account::Challenge& challenge) {
    std::uint64_t value = 0xcbf29ce484222325U; // FNV-1a
    for (const std::string_view part : {user, std::string_view{challenge.realm},
                                        std::string_view{challenge.nonce}, std::string_view{}}) {
        for (const char c : part) {
            value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
        }
        value = (value ^ 0x100U) * 0x100000001b3U; // what no byte is
    }
    return value != 0 ? value : 1;
}

Page* map(int file) {
    // All its blocks at once: a full disk is an error here, and not a SIGBUS later.
    if (const int full = ::posix_fallocate(file, 0, sizeof(Page)); full != 0) {
        errno = full;
        return nullptr;
    }
    void* memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    // SAFETY: the file has the page's size, and every pattern of bits is one.
    return memory != MAP_FAILED ? std::launder(static_cast<Page*>(memory)) : nullptr;
}

bool is_whole(int file) {
    struct stat about {};

    std::array<std::uint64_t, 2> head{};
    return ::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_nlink == 1 &&
           about.st_size == static_cast<off_t>(sizeof(Page)) &&
           ::pread(file, head.data(), sizeof head, 0) == static_cast<ssize_t>(sizeof head) &&
           head == std::array{magic, version};
}

Page* make(const std::string& path) {
    static_cast<void>(::unlink(path.c_str()));
    const base::Fd file{
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    Page* page = file ? map(file.get()) : nullptr;
    if (page != nullptr) {
        for (Word& word : page->secret) {
            word = (std::uint64_t{base::random_u32()} << 32U) | base::random_u32();
        }
        page->version_word = version;
        page->magic_word = magic;
    }
    return page;
}

Page* open_file(const std::string& path) {
    const base::Fd file{
        ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    return file && is_whole(file.get()) ? map(file.get()) : make(path);
}

// The one with that key, else the one whose turn is longest ago.
Slot& slot_for(Page& page, std::uint64_t key) {
    const auto known =
        std::ranges::find_if(page.slots, [key](const Slot& s) { return s.key == key; });
    if (known != page.slots.end() && known->count < count_end) {
        return *known;
    }
    Slot& slot = known != page.slots.end()
                     ? *known
                     : *std::ranges::min_element(page.slots, {}, [](const Slot& s) {
                           return s.key == 0 ? 0 : s.turn.load();
                       });
    slot.key = 0;
    slot.count = 0;
    return slot;
}

} // namespace

bool nonce_counts::open(const std::string& path) {
    if (current() != &in_memory) {
        ::munmap(current(), sizeof(Page));
        current() = &in_memory;
    }
    if (path.empty()) {
        return false;
    }
    Page* page = open_file(path);
    if (page == nullptr) {
        base::log(base::Level::warning,
                  fmt::format("{}: {}; after a crash a server may ask again for credentials that "
                              "it has had",
                              path, std::strerror(errno)));
        return false;
    }
    // What it would be after 2^63 requests is garbage; so is all that it is compared with.
    if (page->turn >= UINT64_MAX / 2) {
        page->turn = 0;
    }
    current() = page;
    set_cnonce_secret(fmt::format("{:x}{:x}", page->secret[0].load(), page->secret[1].load()));
    return true;
}

std::uint32_t nonce_counts::next(std::string_view user, const account::Challenge& challenge) {
    Page& page = *current();
    const std::uint64_t key = key_of(user, challenge);
    Slot& slot = slot_for(page, key);
    const std::uint64_t count = std::max<std::uint64_t>(slot.count, challenge.nonce_count) + 1;
    slot.count = count;
    slot.turn = ++page.turn;
    slot.key = key;
    // Not moved by the compiler behind what is sent with it.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return static_cast<std::uint32_t>(count);
}

} // namespace revenant::sip
