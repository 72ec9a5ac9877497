// The media page: one file mapped by all threads of this process and by the next process, in which
// every stream's numbers stand before they are on the wire. A plain store into it survives SIGKILL.
//
// Layout, native byte order (the file never leaves the machine): a header of 4096 bytes {magic,
// version, slot size, slot count, slots ever used}, then `slot_count` slots of 256 bytes, each four
// cache lines. The file has its full size from the start but is sparse: a slot's blocks are
// allocated before its first use, so that a full disk is an error here and not a SIGBUS later.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "media/rtp/numbering.hpp"
#include "media/rtp/sockets.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::media {

// A boot's identity in a fixed size: a hash of the kernel's text.
[[nodiscard]] std::uint64_t hash_boot_id(const std::string& boot_id);

inline constexpr std::uint64_t page_magic = 0x6d7472636e767231; // "1rvncrtm": revenant's media page

// One stream. The thread that serves the session is the only writer once the session runs; every
// field is written whole, in the order that the comments give, and read by anybody.
class alignas(64) Slot {
public:
    [[nodiscard]] call::Number call() const;
    [[nodiscard]] std::uint32_t ssrc() const;

    [[nodiscard]] bool used() const { return key_.load(std::memory_order_acquire) != 0; }

    // The current run; nothing if neither copy can be believed.
    [[nodiscard]] std::optional<Run> run() const;
    // Makes `run` the current one and ends a pause: into the other copy first, then one store
    // that makes it current. A kill at any instant leaves either the old run or the new one.
    void set_run(const Run& run, std::uint64_t boot);
    [[nodiscard]] bool of_boot(std::uint64_t boot) const;

    // While paused nothing is sent, and the run's numbers do not go on with the clock.
    [[nodiscard]] bool paused() const;
    void set_paused();

    // To be called before the packet leaves: no later process sends this index or one before it.
    void about_to_send(std::uint64_t index, std::size_t payload_octets, const base::Now& now);

    [[nodiscard]] std::uint64_t last_index() const { return relaxed(last_index_); }

    [[nodiscard]] std::uint64_t packets() const { return relaxed(packets_); }

    [[nodiscard]] std::uint64_t octets() const { return relaxed(octets_); }

    [[nodiscard]] base::Now last_sent() const;
    // Told by the wall clock, where it was another boot's.
    void rebase_last(const base::Now& now);

    // The timestamp at which the source's position is 0.
    [[nodiscard]] std::uint32_t origin() const;
    void set_origin(std::uint32_t timestamp);

    // Where the peer was heard (symmetric RTP), if that was found while `agreed` was agreed on.
    // Readable by anybody; a kill while it is stored leaves none.
    [[nodiscard]] std::optional<Address> latch(const Address& agreed) const;
    void set_latch(const Address& agreed, const Address& heard_from);

private:
    friend class Page;
    using Word = std::atomic<std::uint64_t>;
    static_assert(Word::is_always_lock_free, "a lock in the page would not survive a kill");

    struct Copy {
        Word index, timestamp_and_step, boot_ns, real_ns, period_ns, boot, unused, check;
    };

    static std::uint64_t relaxed(const Word& word) { return word.load(std::memory_order_relaxed); }

    static std::uint64_t check_of(const Copy& copy);
    void clear();

    Word key_;   // call << 32 | ssrc; stored last when a slot is taken, first when it is freed
    Word state_; // generation << 2 | paused << 1 | which copy
    Word last_index_, packets_, octets_, last_boot_ns_, last_real_ns_, origin_;
    Copy copies_[2];
    Word latch_;         // 0: none; else the port, under a check of all
    Word latch_host_[2]; // 0: the agreed host
    Word reserved_[5];
};

static_assert(sizeof(Slot) == 256);

class Page {
public:
    static constexpr std::uint32_t slot_count = 65'536;

    // Opens or makes the file (mode 0600). One that is not ours or is damaged is renamed
    // `*.corrupt` and begun anew; the file of a later version is refused. Runs of another boot are
    // rebased to this one's clock.
    [[nodiscard]] static base::Result<std::unique_ptr<Page>> open(const std::string& path);
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    ~Page();

    // Whether what an earlier process knew is not here: no file, or a damaged one.
    [[nodiscard]] bool fresh() const { return fresh_; }

    // The instant of `open`: who claims to have sent before it was another process.
    [[nodiscard]] const base::Now& opened_at() const { return opened_at_; }

    [[nodiscard]] std::uint64_t boot() const { return boot_; }

    // The slot of a stream that this page knows, or null. It is ours from now on.
    [[nodiscard]] Slot* find(call::Number call, std::uint32_t ssrc);

    // A new slot with its first run. A slot that the call had with another SSRC is freed. When
    // all are taken, one that no call of this process has claimed gives way.
    [[nodiscard]] base::Result<Slot*> take(call::Number call, std::uint32_t ssrc, const Run& run);
    void release(Slot* slot);

private:
    struct Header;
    explicit Page(base::Fd file);

    [[nodiscard]] base::Status map();
    void read_slots();
    [[nodiscard]] base::Result<std::uint32_t> unused_slot();
    [[nodiscard]] base::Status allocate(std::uint32_t slot);
    [[nodiscard]] static base::Result<base::Fd> make(const std::string& path);

    base::Fd file_;
    std::uint8_t* memory_ = nullptr;
    Header* header_ = nullptr;
    Slot* slots_ = nullptr;
    bool fresh_ = false;
    std::uint64_t boot_ = 0;
    base::Now opened_at_;
    std::uint32_t allocated_ = 0; // slots whose blocks are known to exist
    std::unordered_map<call::Number, std::uint32_t> by_call_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> unclaimed_;
};

} // namespace revenant::media
