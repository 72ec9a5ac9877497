// One call's slot of the media page. Its words are atomic and its copies are checked: a kill leaves
// the one or the other, and a reader on another thread sees neither half.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "media/rtp/page.hpp"
#include "revenant/base/clock.hpp"

namespace revenant::media {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 29U);
}

std::uint64_t as_word(std::int64_t value) {
    return static_cast<std::uint64_t>(value);
}

std::int64_t as_time(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

bool plausible(const Run& run) {
    return run.index != 0 && run.step > 0 && run.step <= 48'000 && run.period_ns >= grid_ns &&
           run.period_ns <= 200'000'000 && run.period_ns % grid_ns == 0;
}

constexpr std::uint64_t port_mask = 0xffff;

std::uint64_t latch_check(const Address& agreed, std::uint64_t high, std::uint64_t low) {
    // Without a host of its own what version 1 of the page had from the start.
    const std::uint64_t own = high == 0 && low == 0 ? 0 : mix(mix(page_magic, high), low);
    return (agreed.hash() ^ own) & ~port_mask;
}

} // namespace

call::Number Slot::call() const {
    return static_cast<call::Number>(relaxed(key_) >> 32U);
}

std::uint32_t Slot::ssrc() const {
    return static_cast<std::uint32_t>(relaxed(key_));
}

std::uint64_t Slot::check_of(const Copy& copy) {
    std::uint64_t hash = page_magic;
    for (const Word* word : {&copy.index, &copy.timestamp_and_step, &copy.boot_ns, &copy.real_ns,
                             &copy.period_ns, &copy.boot}) {
        hash = mix(hash, relaxed(*word));
    }
    return hash;
}

std::optional<Run> Slot::run() const {
    // A reader on another thread may meet a writer; the generation says so, and then it looks
    // again. The bound is for a damaged page, in which nothing need ever agree.
    for (int attempt = 0; attempt < 100; ++attempt) {
        const std::uint64_t state = state_.load(std::memory_order_acquire);
        const Copy& copy = copies_[state & 1U];
        const Run run{.index = relaxed(copy.index),
                      .timestamp = static_cast<std::uint32_t>(relaxed(copy.timestamp_and_step)),
                      .step = static_cast<std::uint32_t>(relaxed(copy.timestamp_and_step) >> 32U),
                      .boot_ns = as_time(relaxed(copy.boot_ns)),
                      .real_ns = as_time(relaxed(copy.real_ns)),
                      .period_ns = as_time(relaxed(copy.period_ns))};
        const bool sound = relaxed(copy.check) == check_of(copy) && plausible(run);
        if (sound && state_.load(std::memory_order_acquire) >> 2U == state >> 2U) {
            return run;
        }
    }
    return std::nullopt;
}

void Slot::set_run(const Run& run, std::uint64_t boot) {
    const std::uint64_t state = relaxed(state_);
    const std::uint64_t other = (state & 1U) ^ 1U;
    Copy& copy = copies_[other];
    constexpr auto order = std::memory_order_relaxed;
    copy.index.store(run.index, order);
    copy.timestamp_and_step.store((std::uint64_t{run.step} << 32U) | run.timestamp, order);
    copy.boot_ns.store(as_word(run.boot_ns), order);
    copy.real_ns.store(as_word(run.real_ns), order);
    copy.period_ns.store(as_word(run.period_ns), order);
    copy.boot.store(boot, order);
    copy.check.store(check_of(copy), order);
    state_.store((((state >> 2U) + 1) << 2U) | other, std::memory_order_release);
}

bool Slot::of_boot(std::uint64_t boot) const {
    return relaxed(copies_[relaxed(state_) & 1U].boot) == boot;
}

bool Slot::paused() const {
    return (state_.load(std::memory_order_acquire) & 2U) != 0;
}

void Slot::set_paused() {
    state_.store(relaxed(state_) | 2U, std::memory_order_release);
}

void Slot::about_to_send(std::uint64_t index, std::size_t payload_octets, const base::Now& now) {
    constexpr auto order = std::memory_order_relaxed;
    packets_.store(relaxed(packets_) + 1, order);
    octets_.store(relaxed(octets_) + payload_octets, order);
    last_boot_ns_.store(as_word(now.boot_ns), order);
    last_real_ns_.store(as_word(now.real_ns), order);
    // The release keeps the compiler from moving it behind the system call that sends.
    last_index_.store(index, std::memory_order_release);
}

void Slot::rebase_last(const base::Now& now) {
    last_boot_ns_.store(as_word(now.boot_ns - (now.real_ns - last_sent().real_ns)),
                        std::memory_order_relaxed);
}

base::Now Slot::last_sent() const {
    return {.boot_ns = as_time(relaxed(last_boot_ns_)), .real_ns = as_time(relaxed(last_real_ns_))};
}

std::uint32_t Slot::origin() const {
    return static_cast<std::uint32_t>(relaxed(origin_));
}

void Slot::set_origin(std::uint32_t timestamp) {
    origin_.store(timestamp, std::memory_order_relaxed);
}

std::optional<Address> Slot::latch(const Address& agreed) const {
    const std::uint64_t latch = latch_.load(std::memory_order_acquire);
    const std::uint64_t words[2] = {relaxed(latch_host_[0]), relaxed(latch_host_[1])};
    if (latch == 0 || (latch & ~port_mask) != latch_check(agreed, words[0], words[1])) {
        return std::nullopt;
    }
    const auto port = static_cast<std::uint16_t>(latch & port_mask);
    if (words[0] == 0 && words[1] == 0) {
        Address same_host = agreed;
        same_host.set_port(port);
        return same_host;
    }
    std::array<std::uint8_t, 16> host{};
    std::memcpy(host.data(), words, host.size());
    return Address::from_host(host, port);
}

void Slot::set_latch(const Address& agreed, const Address& heard_from) {
    latch_.store(0, std::memory_order_release);
    std::uint64_t words[2] = {};
    if (!heard_from.same_host(agreed)) {
        const auto host = heard_from.host();
        std::memcpy(words, host.data(), host.size());
    }
    latch_host_[0].store(words[0], std::memory_order_relaxed);
    latch_host_[1].store(words[1], std::memory_order_relaxed);
    latch_.store(latch_check(agreed, words[0], words[1]) | heard_from.port(),
                 std::memory_order_release);
}

void Slot::clear() {
    key_.store(0, std::memory_order_release);
    for (Word* word :
         {&state_, &last_index_, &packets_, &octets_, &last_boot_ns_, &last_real_ns_, &origin_,
          &latch_, &latch_host_[0], &latch_host_[1], &copies_[0].check, &copies_[1].check}) {
        word->store(0, std::memory_order_relaxed);
    }
}

} // namespace revenant::media
