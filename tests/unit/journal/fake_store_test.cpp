#include <doctest/doctest.h>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "unit/fakes/fake_store.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace {

using namespace revenant;
using journal::FaultyStore;
using journal::MemoryStore;

TEST_CASE("the store in memory gives back what it was given, and refuses what could not be read") {
    MemoryStore store;
    CHECK(store.save(journal::sample_callee_on_hold()));
    CHECK(store.save(journal::sample_caller()));
    const auto loaded = store.load();
    REQUIRE(loaded);
    CHECK(loaded->dialogs ==
          std::vector{journal::sample_caller(), journal::sample_callee_on_hold()});
    CHECK_FALSE(store.save(call::Dialog{}));
    CHECK(store.next_epoch() == 1U);
    CHECK(store.next_epoch() == 2U);
}

TEST_CASE("the faulty store fails at the write that it was told, and only there") {
    FaultyStore store;
    store.fail_at(2);
    CHECK(store.save(journal::sample_caller()));
    CHECK(store.remove(7).error().code == base::Errc::no_space);
    CHECK(store.content().records.contains(7));
    CHECK(store.remove(7));
    CHECK(store.writes() == 3);
    store.fail_from(1, base::Errc::io);
    CHECK_FALSE(store.next_epoch());
    CHECK_FALSE(store.save(journal::sample_caller()));
    store.heal();
    CHECK(store.next_epoch() == 1U);
}

TEST_CASE("power loss takes what was not synced") {
    FaultyStore careless{false};
    CHECK(careless.save(journal::sample_caller()));
    careless.sync();
    CHECK(careless.save(journal::sample_ringing()));
    CHECK(careless.remove(7));
    careless.power_loss();
    CHECK(careless.content().records.size() == 1);
    CHECK(careless.content().records.contains(7));

    FaultyStore durable{true};
    CHECK(durable.save(journal::sample_caller()));
    durable.power_loss();
    CHECK(durable.content().records.contains(7));
}

} // namespace
