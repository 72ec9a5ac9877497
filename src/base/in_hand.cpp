#include "revenant/base/in_hand.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/log.hpp"

namespace revenant::base {

namespace {

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free, "a lock in the page would not survive its process");

constexpr std::uint64_t magic = 0x646e6168766e7231; // "1rnvhand"
constexpr std::uint64_t version = 1;
constexpr std::uint64_t by_call_id = std::uint64_t{1} << 63U;
constexpr std::uint64_t is_reading = std::uint64_t{1} << 32U;
constexpr std::size_t threads_max = 8; // main, media, and one that reads records
constexpr std::size_t under_way_max = 64;
constexpr std::size_t page_size = 4096;
constexpr std::size_t alternate_stack_size = std::size_t{64} * 1024;
constexpr auto relaxed = std::memory_order_relaxed;

struct Verdicts {
    Word judged; // the life whose death is counted in these
    std::array<std::array<Word, 2>, HandPage::suspects_max> suspects; // call and deaths, identity
};

} // namespace

struct HandPage::Page {
    Word magic_word;
    Word version_word;
    Word life;    // of the process that writes here
    Word died;    // the last life that has ended of its own fault
    Word died_of; // its signal
    Word died_on; // its mark
    std::array<Word, threads_max> in_hand;
    std::array<Word, under_way_max> under_way;
    std::array<Word, under_way_max> died_under_way; // what was, when it died
    Word current;                                   // which of the two
    std::array<Verdicts, 2> verdicts;
};

static_assert(sizeof(HandPage::Page) <= page_size);

namespace {

// For a process that has no page, so that a note is a store in any case.
HandPage::Page nowhere{};                            // NOLINT(*-avoid-non-const-global-variables)
std::atomic<HandPage::Page*> current_page{&nowhere}; // NOLINT(*-avoid-non-const-global-variables)
std::atomic<bool> is_watched_now{false};             // NOLINT(*-avoid-non-const-global-variables)

constexpr std::array fatal{SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

struct sigaction before[fatal.size()]; // NOLINT(*-avoid-non-const-global-variables,*-c-arrays)

// Each thread has a word of its own; those beyond the last share it.
std::size_t own_index() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t index = std::min(next.fetch_add(1, relaxed), threads_max - 1);
    return index;
}

Word& own_word() {
    return current_page.load(relaxed)->in_hand[own_index()];
}

// A user who kills the phone, with whatever signal, has nothing against the call in hand.
bool is_own_fault(int signal, const siginfo_t& info) {
    return info.si_code > 0 || info.si_pid == ::getpid() ||
           (signal == SIGABRT && is_watched_now.load(relaxed) && info.si_pid == ::getppid());
}

// The main thread; if that has nothing in hand, one that reads a record, which it waits for.
std::size_t index_of_hanging(const HandPage::Page& page) {
    const auto reads = [](const Word& word) {
        const std::uint64_t mark = word.load(relaxed);
        return (mark & (by_call_id | is_reading)) == is_reading;
    };
    const auto reader = std::ranges::find_if(page.in_hand, reads);
    const bool is_reader = page.in_hand[0].load(relaxed) == 0 && reader != page.in_hand.end();
    return is_reader ? static_cast<std::size_t>(reader - page.in_hand.begin()) : 0;
}

void note_death(HandPage::Page& page, int signal, std::size_t thread) {
    page.died_of.store(static_cast<std::uint64_t>(signal), relaxed);
    page.died_on.store(page.in_hand[thread].load(relaxed), relaxed);
    for (std::size_t i = 0; i < under_way_max; ++i) {
        page.died_under_way[i].store(page.under_way[i].load(relaxed), relaxed);
    }
    page.died.store(page.life.load(relaxed), std::memory_order_release);
}

void on_fatal(int signal, siginfo_t* info, void* context) {
    if (is_own_fault(signal, *info)) {
        HandPage::Page& page = *current_page.load(relaxed);
        const bool is_watchdog = info->si_code <= 0 && info->si_pid != ::getpid();
        note_death(page, signal, is_watchdog ? index_of_hanging(page) : own_index());
    }
    // SA_RESETHAND: what comes now ends the process. A fault comes again by itself.
    const auto* const old = &before[std::ranges::find(fatal, signal) - fatal.begin()];
    const bool has_reporter = (old->sa_flags & SA_SIGINFO) != 0 && old->sa_sigaction != nullptr;
    if (info->si_code <= 0) {
        static_cast<void>(::raise(signal));
    } else if (has_reporter && !dies_on_purpose()) { // a sanitizer's, which does not return
        old->sa_sigaction(signal, info, context);
    }
}

// An endless recursion leaves no room on the stack for a handler.
void use_alternate_stack() {
    stack_t stack{};
    if (::sigaltstack(nullptr, &stack) == 0 && (stack.ss_flags & SS_DISABLE) == 0) {
        return; // a sanitizer's
    }
    void* memory = ::mmap(nullptr, alternate_stack_size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) { // NOLINT(*-pro-type-cstyle-cast,*-int-to-ptr): the C library's
        return;
    }
    stack = {.ss_sp = memory, .ss_flags = 0, .ss_size = alternate_stack_size};
    static_cast<void>(::sigaltstack(&stack, nullptr));
}

void watch_for_fatal_signals() {
    use_alternate_stack();

    struct sigaction action {};

    action.sa_sigaction = on_fatal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    ::sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < fatal.size(); ++i) {
        struct sigaction old {};

        if (::sigaction(fatal[i], &action, &old) == 0 && old.sa_sigaction != on_fatal) {
            before[i] = old;
        }
    }
}

bool is_ours(int file) {
    struct stat status {};

    std::array<std::uint64_t, 2> head{};
    return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
           status.st_size == static_cast<off_t>(page_size) &&
           ::pread(file, head.data(), sizeof head, 0) == static_cast<ssize_t>(sizeof head) &&
           head[0] == magic && head[1] == version;
}

// Blocks are allocated here, so that a full disk is an error now and not a SIGBUS later.
HandPage::Page* map(int file) {
    const int full = ::posix_fallocate(file, 0, static_cast<off_t>(page_size));
    if (full != 0) {
        errno = full;
        return nullptr;
    }
    void* memory = ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    // NOLINTNEXTLINE(*-pro-type-cstyle-cast,*-int-to-ptr): the C library's
    return memory != MAP_FAILED ? static_cast<HandPage::Page*>(memory) : nullptr;
}

HandPage::Page* open_file(const std::string& path) {
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    const Fd found{::open(path.c_str(), flags)};
    if (found && is_ours(found.get())) {
        return map(found.get());
    }
    static_cast<void>(::unlink(path.c_str()));
    const Fd made{::open(path.c_str(), flags | O_CREAT | O_EXCL, 0600)};
    HandPage::Page* page = made ? map(made.get()) : nullptr;
    if (page != nullptr) {
        page->version_word.store(version, relaxed);
        page->magic_word.store(magic, relaxed);
    }
    return page;
}

std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 0xcbf29ce484222325U; // FNV-1a
    for (const char c : text) {
        value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return value;
}

} // namespace

Mark mark_of(std::uint32_t call) {
    return Mark{call};
}

Mark mark_of_reading(std::uint32_t call) {
    return Mark{is_reading | call};
}

Mark mark_of(std::string_view call_id) {
    return Mark{by_call_id | hash(call_id)};
}

InHand::InHand(Mark mark) : before_{own_word().load(relaxed)} {
    own_word().store(static_cast<std::uint64_t>(mark), relaxed);
    // Not moved by the compiler behind what is done for the call: it may be the end.
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

InHand::~InHand() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    own_word().store(static_cast<std::uint64_t>(before_), relaxed);
}

void set_under_way(std::uint32_t call, bool is_under_way) {
    auto& words = current_page.load(relaxed)->under_way;
    const auto holds = [](std::uint64_t wanted) {
        return [wanted](const Word& word) { return word.load(relaxed) == wanted; };
    };
    auto found = std::ranges::find_if(words, holds(call));
    if (is_under_way && found == words.end()) {
        found = std::ranges::find_if(words, holds(0));
    }
    if (found != words.end()) {
        found->store(is_under_way ? call : 0, relaxed);
    }
}

// ---- the page

std::unique_ptr<HandPage> HandPage::open(const std::string& path) {
    Page* page = open_file(path);
    if (page == nullptr) {
        log(Level::warning, fmt::format("{}: {}; should this start die on a call, the next one "
                                        "will not know on which",
                                        path, std::strerror(errno)));
        return std::unique_ptr<HandPage>{new HandPage{&nowhere}};
    }
    // The constructor is private; make_unique cannot reach it.
    return std::unique_ptr<HandPage>{new HandPage{page}};
}

HandPage::~HandPage() {
    if (page_ != &nowhere) {
        current_page.store(&nowhere, relaxed);
        ::munmap(page_, page_size);
    }
}

void HandPage::note_hang() {
    if (page_->died.load(relaxed) != page_->life.load(relaxed)) {
        note_death(*page_, 0, index_of_hanging(*page_));
    }
}

std::optional<LastDeath> HandPage::last_death() const {
    const std::uint64_t died = page_->died.load(std::memory_order_acquire);
    const Verdicts& verdicts = page_->verdicts[page_->current.load(relaxed) & 1U];
    if (died == 0 || died == verdicts.judged.load(relaxed)) {
        return std::nullopt;
    }
    LastDeath death{.signal = static_cast<int>(page_->died_of.load(relaxed) & 0x7FU),
                    .mark = Mark{page_->died_on.load(relaxed)},
                    .under_way = {}};
    for (const Word& word : page_->died_under_way) {
        if (const std::uint64_t call = word.load(relaxed); call != 0 && call <= UINT32_MAX) {
            death.under_way.push_back(static_cast<std::uint32_t>(call));
        }
    }
    return death;
}

std::vector<Suspect> HandPage::suspects() const {
    std::vector<Suspect> all;
    for (const auto& [who, identity] :
         page_->verdicts[page_->current.load(relaxed) & 1U].suspects) {
        if (const std::uint64_t word = who.load(relaxed); word != 0) {
            all.push_back({.call = static_cast<std::uint32_t>(word),
                           .deaths = static_cast<std::uint32_t>(word >> 32U),
                           .identity = identity.load(relaxed)});
        }
    }
    return all;
}

void HandPage::judge(const std::vector<Suspect>& suspects) {
    const std::uint64_t other = (page_->current.load(relaxed) & 1U) ^ 1U;
    Verdicts& verdicts = page_->verdicts[other];
    verdicts.judged.store(page_->died.load(relaxed), relaxed);
    for (std::size_t i = 0; i < suspects_max; ++i) {
        const Suspect suspect = i < suspects.size() ? suspects[i] : Suspect{};
        auto& [who, identity] = verdicts.suspects[i];
        who.store(std::uint64_t{suspect.deaths} << 32U | suspect.call, relaxed);
        identity.store(suspect.identity, relaxed);
    }
    page_->current.store(other, std::memory_order_release);
}

void HandPage::begin(bool is_watched) {
    static_cast<void>(own_index()); // the main thread has the first word
    is_watched_now.store(is_watched, relaxed);
    for (Word& word : page_->in_hand) {
        word.store(0, relaxed);
    }
    for (Word& word : page_->under_way) {
        word.store(0, relaxed);
    }
    page_->life.store(page_->life.load(relaxed) + 1, std::memory_order_release);
    current_page.store(page_, relaxed);
    watch_for_fatal_signals();
}

} // namespace revenant::base
