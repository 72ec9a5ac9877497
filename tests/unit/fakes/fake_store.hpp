// Stores for tests: in memory, and one that fails and forgets on demand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::journal {

// Keeps records as text, so that a Dialog that could not be read after a restart fails here too.
class MemoryStore : public PromptStore {
public:
    using PromptStore::remove;
    using PromptStore::save;

    base::Result<Loaded> load() override {
        Loaded loaded;
        for (const auto& [number, text] : records) {
            if (auto dialog = decode(text)) {
                loaded.dialogs.push_back(*std::move(dialog));
            } else {
                loaded.rejected.push_back({std::to_string(number), dialog.error()});
            }
        }
        return loaded;
    }

    base::Status save(const call::Dialog& dialog) override {
        if (auto status = check(dialog); !status) {
            return status;
        }
        records[dialog.number] = encode(dialog);
        return {};
    }

    base::Status remove(call::Number number) override {
        records.erase(number);
        return {};
    }

    base::Result<std::uint32_t> next_epoch() override { return ++epoch; }

    base::Result<std::string> quarantine(call::Number number) override {
        quarantined[number] = std::exchange(records[number], {});
        records.erase(number);
        return std::to_string(number) + ".quarantined";
    }

    std::map<call::Number, std::string> records;
    std::map<call::Number, std::string> quarantined;
    std::uint32_t epoch = 0;
};

// Counts writes (save, remove, next_epoch), fails at the one it is told to, and at power_loss()
// forgets everything since the last sync. A durable store syncs at each write that succeeds.
class FaultyStore : public PromptStore {
public:
    using PromptStore::remove;
    using PromptStore::save;

    explicit FaultyStore(bool durable = true) : durable_{durable} {}

    // The k-th write from now (1: the next) fails and changes nothing; those after it succeed.
    void fail_at(int k, base::Errc code = base::Errc::no_space) {
        fail_at_ = writes_ + k;
        fail_for_ever_ = false;
        code_ = code;
    }

    // As a full disk does: the k-th write from now and all after it fail.
    void fail_from(int k, base::Errc code = base::Errc::no_space) {
        fail_at(k, code);
        fail_for_ever_ = true;
    }

    void heal() { fail_at_ = 0; }

    void sync() { synced_ = now_; }

    void power_loss() { now_ = synced_; }

    [[nodiscard]] int writes() const { return writes_; } // attempts, failed ones too

    [[nodiscard]] const MemoryStore& content() const { return now_; }

    base::Result<Loaded> load() override { return now_.load(); }

    base::Status save(const call::Dialog& dialog) override {
        return write([&] { return now_.save(dialog); });
    }

    base::Status remove(call::Number number) override {
        return write([&] { return now_.remove(number); });
    }

    base::Result<std::uint32_t> next_epoch() override {
        return write([&] { return now_.next_epoch(); });
    }

    base::Result<std::string> quarantine(call::Number number) override {
        return write([&] { return now_.quarantine(number); });
    }

private:
    template <typename F>
    auto write(F&& f) -> decltype(f()) {
        ++writes_;
        const bool due = fail_at_ != 0 && writes_ >= fail_at_;
        if (due && (fail_for_ever_ || writes_ == fail_at_)) {
            return base::fail(code_, "the store was told to fail at this write");
        }
        auto result = f();
        if (result && durable_) {
            sync();
        }
        return result;
    }

    bool durable_;
    MemoryStore now_;
    MemoryStore synced_;
    int writes_ = 0;
    int fail_at_ = 0; // 0: never
    bool fail_for_ever_ = false;
    base::Errc code_ = base::Errc::no_space;
};

} // namespace revenant::journal
