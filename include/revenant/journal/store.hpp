// Where records live. FileStore keeps one JSON file a dialog; tests have MemoryStore and
// FaultyStore; a database fits behind the same calls, and may answer later.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

// What the store holds and cannot use, and where it is now. Nothing is ever deleted for that.
struct Rejected {
    std::string path; // or another name by which a user finds it
    base::Error error;
};

struct Loaded {
    std::vector<call::Dialog> dialogs; // ascending by number
    std::vector<Rejected> rejected;
    // Numbers that must not be given to a call, ascending: a record that this version cannot read
    // still stands under them (a later schema, no permission). save() and remove() refuse them.
    std::vector<call::Number> taken;
};

class Store {
public:
    virtual ~Store() = default;

    // Reads everything, and comes before all other calls: only then is it known what must not be
    // overwritten (the others answer Errc::not_now until then). One unusable record never hides
    // another.
    [[nodiscard]] virtual base::Result<Loaded> load() = 0;

    // Called once with each write's answer: within save() or remove(), or from the main loop. The
    // writes of one number are answered in the order in which they were asked for.
    using Done = std::function<void(const base::Status&)>;

    // After success the record survives SIGKILL (with `durable`, power loss too). After a failure
    // the record is still whole: the old one, or with `durable` perhaps the new one.
    // Errc::corrupt: load() would refuse this Dialog (see journal::check); not_now: the number is
    // taken; no_space or io: the text says what to do.
    virtual void save(const call::Dialog& dialog, const Done& done) = 0;

    // The call is over. Succeeds when there is no such record. After a failure the record is still
    // there, and the next start finds a call that the peer no longer knows.
    virtual void remove(call::Number number, const Done& done) = 0;

    // Counts this start: stored before it is returned, so that no two starts share an epoch, and
    // above the epoch of every record that load() found.
    [[nodiscard]] virtual base::Result<std::uint32_t> next_epoch() = 0;

    // Puts the record away, unread, where no start finds it, and says where it is now. It may come
    // before load(). After a failure the record is where it was, and the number is taken.
    [[nodiscard]] virtual base::Result<std::string> quarantine(call::Number number) = 0;
};

// A store that answers at once, as one of files does.
class PromptStore : public Store {
public:
    [[nodiscard]] virtual base::Status save(const call::Dialog& dialog) = 0;
    [[nodiscard]] virtual base::Status remove(call::Number number) = 0;

    void save(const call::Dialog& dialog, const Done& done) final { done(save(dialog)); }

    void remove(call::Number number, const Done& done) final { done(remove(number)); }
};

// A store that keeps nothing and finds nothing; `lock` is held as long as it lives, and what it
// holds is left alone (its numbers are `taken`).
[[nodiscard]] std::unique_ptr<Store> forgetful_store(std::unique_ptr<Store> lock);

} // namespace revenant::journal
