// The laws of a registration, whatever the registrar says, whenever the phone dies, whatever the
// clocks do: seeded, so that a number that fails can be played again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/account/machine.hpp"
#include "unit/fakes/lying_registrar.hpp"
#include "unit/fakes/registration_samples.hpp"

namespace revenant::account {

namespace {

constexpr std::uint32_t seeds = 600;
constexpr int steps = 100;

// A phone with its disk, from the first life on. `fault` has the first law that did not hold.
class World {
public:
    explicit World(std::uint32_t seed) : registrar_{seed}, binding_{new_binding()} {
        arrive(event::Register{});
    }

    void live() {
        for (int i = 0; i < steps && fault.empty(); ++i) {
            happen();
        }
    }

    // Everybody is well again: who is wanted is registered within the longest wait there is.
    void recover() {
        for (int i = 0; i < 200 && fault.empty(); ++i) {
            if (binding_.state == State::registered && binding_.is_wanted &&
                binding_.record.granted_s == 3600) {
                return;
            }
            if (binding_.state == State::off || binding_.state == State::refused ||
                !binding_.is_wanted) {
                arrive(event::Register{});
            } else if (binding_.is_open) {
                arrive(registrar_.honest(binding_));
            } else {
                pass(std::max<std::int64_t>(timer_ms_ - now_.boot_ms(), 0));
                arrive(event::Due{});
            }
        }
        complain("it is never registered again");
    }

    std::string fault;

private:
    void happen() {
        const std::uint32_t what = registrar_.roll(32);
        if (what == 0) {
            die(registrar_.roll(4) == 0);
        } else if (what == 1) {
            arrive(event::FlowLost{});
        } else if (what == 2) {
            arrive(event::Moved{
                .local = {.address = "192.0.2.8", .port = 5060},
                .contact = fmt::format("sip:alice@192.0.2.8:{}", 5060 + registrar_.roll(3))});
        } else if (what == 3) {
            by_user();
        } else if (what == 4) {
            now_.real_ns += (std::int64_t{registrar_.roll(7200)} - 3600) * 1'000'000'000;
        } else if (what == 5) {
            store_fails_ = true;
        } else if (what == 6) {
            arrive(event::Due{}); // early
        } else if (binding_.is_open && what < 28) {
            pass(registrar_.roll(2) == 0 ? 0 : registrar_.roll(100));
            arrive(registrar_.answer(binding_));
        } else if (timer_ms_ != 0) {
            pass(std::max<std::int64_t>(timer_ms_ - now_.boot_ms(), 0));
            arrive(event::Due{});
        } else {
            by_user();
        }
    }

    void by_user() {
        switch (registrar_.roll(4)) {
        case 0: arrive(event::Unregister{}); break;
        case 1: arrive(event::Keyed{}); break;
        default: arrive(event::Register{}); break;
        }
    }

    void arrive(const Event& event) {
        const State before = binding_.state;
        const bool may_break_silence = std::holds_alternative<event::Register>(event) ||
                                       std::holds_alternative<event::Unregister>(event) ||
                                       std::holds_alternative<event::Keyed>(event) ||
                                       std::holds_alternative<event::Restore>(event);
        if (const auto* answered = std::get_if<event::Answered>(&event)) {
            // Or it may have been a copy of the state, from which the CSeq has come.
            may_change_call_id_ |=
                lives_ > 1 && (answered->status == 400 || answered->status == 500);
        }
        ++draws_;
        Step next = step(binding_, event, now_,
                         {.dice = registrar_.roll(1'000'000),
                          .call_id = fmt::format("call-id-{}", draws_),
                          .from_tag = fmt::format("tag-{}", draws_)});
        if (const std::string wrong = check(next.binding); !wrong.empty()) {
            complain(wrong);
        }
        const bool may_die = registrar_.roll(100) == 0;
        const std::size_t dies_at = may_die ? registrar_.roll(4) : next.effects.size() + 1;
        is_stored_ = false;
        for (std::size_t i = 0; i < next.effects.size(); ++i) {
            if (i == dies_at) {
                die(false);
                return;
            }
            if (store_fails_ && std::holds_alternative<effect::Persist>(next.effects[i])) {
                store_fails_ = false;
                arrive(event::StoreFailed{});
                return;
            }
            const bool is_silent = before == State::off || before == State::refused;
            if (is_silent && !may_break_silence &&
                std::holds_alternative<effect::Send>(next.effects[i])) {
                complain("somebody who was not asked has sent a REGISTER");
            }
            perform(next, next.effects[i]);
        }
        binding_ = std::move(next.binding);
        if (timer_ms_ != binding_.due_ms) {
            complain("the timer is not what the machine believes");
        }
    }

    void perform(const Step& next, const Effect& effect) {
        if (std::holds_alternative<effect::Persist>(effect)) {
            disk_ = next.binding.record;
            is_stored_ = true;
        } else if (std::holds_alternative<effect::Forget>(effect)) {
            disk_.reset();
        } else if (const auto* wait = std::get_if<effect::WaitUntil>(&effect)) {
            timer_ms_ = wait->boot_ms;
            if (wait->boot_ms <= now_.boot_ms()) {
                complain("it waits for what has been");
            }
        } else if (std::holds_alternative<effect::WaitForNothing>(effect)) {
            timer_ms_ = 0;
        } else if (const auto* send = std::get_if<effect::Send>(&effect)) {
            sent(next.binding, *send);
        }
    }

    void sent(const Binding& binding, const effect::Send& send) {
        const Registration& record = binding.record;
        if (!is_stored_ || !disk_ || *disk_ != record) {
            complain("a REGISTER goes out before its record is stored");
        }
        if (record.call_id != call_id_ && !call_id_.empty() && !may_change_call_id_) {
            complain("another Call-ID for nothing");
        }
        may_change_call_id_ = false;
        call_id_ = record.call_id;
        std::uint32_t& last = cseqs_[record.call_id];
        if (record.cseq <= last) {
            complain("a CSeq is used again");
        }
        last = record.cseq;
        for (const Challenge& answer : send.answers) {
            const auto key = fmt::format("{}{}/{}", answer.is_proxys, answer.realm, answer.nonce);
            const auto [count, is_new] = counts_.try_emplace(key, 0);
            // A death between the disk and the wire leaves a count out.
            if (answer.nonce_count <= count->second ||
                (lives_ == 1 && answer.nonce_count != count->second + 1)) {
                complain("a count of a nonce is used again, or left out");
            }
            count->second = answer.nonce_count;
            const auto stored = std::ranges::find(record.challenges, answer);
            if (stored == record.challenges.end()) {
                complain("the count of a nonce is not stored");
            }
        }
        if (send.expires_s != 0 && (binding.state == State::leaving || !binding.is_wanted)) {
            complain("what is not wanted is asked for");
        }
        times_ms_.push_back(age_ms_);
        while (times_ms_.front() <= age_ms_ - 1000) {
            times_ms_.pop_front();
        }
        if (times_ms_.size() > 12) {
            complain("more than 12 REGISTERs in a second");
        }
    }

    void die(bool with_reboot) {
        pass(registrar_.roll(3) == 0 ? registrar_.roll(100'000) : registrar_.roll(100));
        timer_ms_ = 0;
        ++lives_;
        if (with_reboot) {
            boot_ += "x";
            now_.boot_ns = 1'000'000'000;
        }
        if (!disk_) {
            Registration fresh = new_record();
            fresh.call_id = fmt::format("life-{}", lives_);
            binding_ = Binding{};
            binding_.record = std::move(fresh);
            call_id_.clear();
            counts_.clear(); // there is no record, by the user's wish
            return;
        }
        Registration record = *disk_;
        move_into_boot(record, boot_, now_);
        binding_ = revive(std::move(record));
        arrive(event::Restore{.has_flow = registrar_.roll(2) == 0,
                              .settings_id = registrar_.roll(20) == 0 ? "s2" : "s1"});
    }

    void pass(std::int64_t ms) {
        now_ = later(ms, now_);
        age_ms_ += ms;
    }

    void complain(const std::string& what) {
        if (fault.empty()) {
            fault = what;
        }
    }

    LyingRegistrar registrar_;
    Binding binding_;
    base::Now now_ = sample_now;
    std::int64_t age_ms_ = 0; // of the world, over all boots
    std::int64_t timer_ms_ = 0;
    std::optional<Registration> disk_;
    std::string boot_ = "boot";
    std::uint32_t lives_ = 1;
    std::uint32_t draws_ = 0;
    bool store_fails_ = false;
    bool is_stored_ = false;
    bool may_change_call_id_ = false;
    std::string call_id_;
    std::map<std::string, std::uint32_t> cseqs_;
    std::map<std::string, std::uint32_t> counts_;
    std::deque<std::int64_t> times_ms_;
};

} // namespace

TEST_CASE("no registrar, death or clock makes a registration break its laws") {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        World world{seed};
        world.live();
        world.recover();
        INFO("seed ", seed);
        REQUIRE(world.fault == "");
    }
}

} // namespace revenant::account
