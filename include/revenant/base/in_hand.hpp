// Which call this process has in hand, noted in a page that outlives it: a file, mapped and shared.
// A note is a plain store. When the process dies of its own fault, that is noted too, and the next
// start knows on which call. state/README.md has the layout.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace revenant::base {

// A call, by its number or by its Call-ID.
enum class Mark : std::uint64_t { none = 0 };

[[nodiscard]] Mark mark_of(std::uint32_t call);
// The record of that number is being read.
[[nodiscard]] Mark mark_of_reading(std::uint32_t call);
[[nodiscard]] Mark mark_of(std::string_view call_id);

// While one of these lives its thread works for that call; then for the one before it again.
class InHand {
public:
    explicit InHand(Mark mark);

    explicit InHand(std::uint32_t call) : InHand{mark_of(call)} {}

    InHand(const InHand&) = delete;
    InHand& operator=(const InHand&) = delete;
    ~InHand();

private:
    Mark before_;
};

// Something is begun for the call that goes on between the turns of the main loop.
void set_under_way(std::uint32_t call, bool is_under_way);

// A call that an earlier start has died on.
struct Suspect {
    std::uint32_t call = 0;
    std::uint32_t deaths = 0;
    std::uint64_t identity = 0; // of its dialog; 0: its record has not been read

    bool operator==(const Suspect&) const = default;
};

// By a signal of its own doing, which nobody else has sent; or it hung.
struct LastDeath {
    int signal = 0;                       // 0: it hung
    Mark mark = Mark::none;               // what the thread that died had in hand
    std::vector<std::uint32_t> under_way; // at that time
};

class HandPage {
public:
    static constexpr std::size_t suspects_max = 64;

    // A file that is not one of ours is replaced. Without a file what is noted is lost with the
    // process, and the log says why.
    [[nodiscard]] static std::unique_ptr<HandPage> open(const std::string& path);
    HandPage(const HandPage&) = delete;
    HandPage& operator=(const HandPage&) = delete;
    ~HandPage(); // notes are made nowhere from then on

    // The process before hung and was killed for it: SIGKILL leaves no note.
    void note_hang();
    // The last that a process has died of its own fault, if it has not been judged yet.
    [[nodiscard]] std::optional<LastDeath> last_death() const;
    [[nodiscard]] std::vector<Suspect> suspects() const;
    // The suspects from now on, the first `suspects_max` of them; the last death is judged with
    // it, in one store.
    void judge(const std::vector<Suspect>& suspects);

    // This process makes its notes here from now on, and its death. `is_watched`: a SIGABRT of the
    // parent's is a watchdog's, for a process that hangs.
    void begin(bool is_watched);

    struct Page;

private:
    explicit HandPage(Page* page) : page_{page} {}

    Page* page_; // mapped
};

} // namespace revenant::base
