#include "app/records.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/keeper_link.hpp"
#include "app/notices.hpp"
#include "app/suspects.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/journal/delayed_store.hpp"
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/shell/options.hpp"
#include "revenant/shell/output.hpp"

namespace revenant::app {

namespace {

// Of what is not taken over.
void report(const journal::Loaded& loaded, shell::Resume resume) {
    for (const journal::Rejected& rejected : loaded.rejected) {
        shell::print({.event = "journal.rejected",
                      .call = std::nullopt,
                      .tone = shell::Tone::bad,
                      .text = fmt::format("{}: {}", base::printable(rejected.path, 300),
                                          rejected.error.context),
                      .fields = {{"path", base::printable(rejected.path, 300)},
                                 {"code", std::string{shell::code_name(rejected.error.code)}}}});
    }
    if (resume == shell::Resume::never && !loaded.dialogs.empty()) {
        tell("journal.left", shell::Tone::attention,
             fmt::format("{} call{} of an earlier run left alone (--resume=never)",
                         loaded.dialogs.size(), loaded.dialogs.size() == 1 ? "" : "s"));
    }
}

} // namespace

base::Status Records::open(const shell::Options& options, const Keeping& keeping) {
    auto store = journal::open_file_store(
        {.directory = options.state_directory, .durable = options.durable});
    if (!store) {
        return base::fail(store.error());
    }
    store_ = options.no_journal ? journal::forgetful_store(std::move(*store)) : std::move(*store);
    if (options.store_delay.most_ms > 0) {
        store_ = journal::delayed_store(
            std::move(store_), {.most_ms = options.store_delay.most_ms,
                                .is_written_at_once = options.store_delay.is_written_at_once});
    }
    base::crash_at(options.crash_at);
    if (!options.no_journal) {
        begin_page(options, keeping);
    }
    auto loaded = store_->load();
    if (!loaded) {
        return base::fail(loaded.error());
    }
    loaded_ = std::move(*loaded);
    if (suspects_ && options.resume != shell::Resume::never) {
        suspects_->judge(loaded_);
    }
    report(loaded_, options.resume);
    return {};
}

// What an earlier start has died on is known from here on.
void Records::begin_page(const shell::Options& options, const Keeping& keeping) {
    page_ = base::HandPage::open(options.state_directory + "/hand.page");
    suspects_ = std::make_unique<Suspects>(*page_, *store_);
    if (!keeping.last_death().empty()) { // the keeper's word for it
        page_->note_hang();
    }
    suspects_->judge_unread();
    page_->begin(keeping.is_kept());
}

journal::Loaded Records::take() {
    return std::exchange(loaded_, {});
}

} // namespace revenant::app
