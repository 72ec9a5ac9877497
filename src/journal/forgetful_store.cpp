#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::journal {

namespace {

class ForgetfulStore final : public PromptStore {
public:
    using PromptStore::remove;
    using PromptStore::save;

    explicit ForgetfulStore(std::unique_ptr<Store> lock) : lock_{std::move(lock)} {}

    base::Result<Loaded> load() override {
        auto found = lock_->load();
        if (!found) {
            return found;
        }
        Loaded nothing;
        nothing.rejected = std::move(found->rejected);
        nothing.taken = std::move(found->taken);
        for (const call::Dialog& dialog : found->dialogs) {
            nothing.taken.push_back(dialog.number);
        }
        return nothing;
    }

    base::Status save(const call::Dialog& /*dialog*/) override { return {}; }

    base::Status remove(call::Number /*number*/) override { return {}; }

    base::Result<std::uint32_t> next_epoch() override { return lock_->next_epoch(); }

    base::Result<std::string> quarantine(call::Number number) override {
        return lock_->quarantine(number);
    }

private:
    std::unique_ptr<Store> lock_;
};

} // namespace

std::unique_ptr<Store> forgetful_store(std::unique_ptr<Store> lock) {
    return std::make_unique<ForgetfulStore>(std::move(lock));
}

} // namespace revenant::journal
