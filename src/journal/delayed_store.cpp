#include "revenant/journal/delayed_store.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

namespace {

class DelayedStore final : public Store {
public:
    DelayedStore(std::unique_ptr<Store> store, Delay delay)
        : store_{std::move(store)}, delay_{delay} {}

    [[nodiscard]] base::Result<Loaded> load() override { return store_->load(); }

    [[nodiscard]] base::Result<std::uint32_t> next_epoch() override { return store_->next_epoch(); }

    [[nodiscard]] base::Result<std::string> quarantine(call::Number number) override {
        return store_->quarantine(number);
    }

    void save(const call::Dialog& dialog, const Done& done) override {
        submit(dialog.number, done,
               [this, dialog](const Done& stored) { store_->save(dialog, stored); });
    }

    void remove(call::Number number, const Done& done) override {
        submit(number, done,
               [this, number](const Done& removed) { store_->remove(number, removed); });
    }

private:
    using Write = std::function<void(const Done& done)>;

    struct Line {
        std::deque<std::function<void()>> answers;
        base::Source next;
    };

    void submit(call::Number number, const Done& done, const Write& write) {
        std::function<void()> answer = [write, done] { write(done); };
        if (delay_.is_written_at_once) {
            write([&](const base::Status& status) { answer = [done, status] { done(status); }; });
        }
        Line& line = lines_[number];
        line.answers.push_back(std::move(answer));
        if (line.answers.size() == 1) {
            wait(number, line);
        }
    }

    void wait(call::Number number, Line& line) {
        const auto delay_ms =
            std::uniform_int_distribution<std::uint32_t>{0, delay_.most_ms}(random_);
        // SAFETY: the line is a member's.
        line.next = base::after_ms(delay_ms, [this, number] { answer_next(number); });
    }

    void answer_next(call::Number number) {
        Line& line = lines_.at(number);
        const std::function<void()> answer = std::move(line.answers.front());
        line.answers.pop_front();
        if (line.answers.empty()) {
            lines_.erase(number);
        } else {
            wait(number, line);
        }
        answer(); // which may bring the next write
    }

    std::unique_ptr<Store> store_;
    Delay delay_;
    std::map<call::Number, Line> lines_;
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace

std::unique_ptr<Store> delayed_store(std::unique_ptr<Store> store, Delay delay) {
    return std::make_unique<DelayedStore>(std::move(store), delay);
}

} // namespace revenant::journal
