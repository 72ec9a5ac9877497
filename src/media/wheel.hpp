// Which sessions are to be served when: a timing wheel of grid steps, with intrusive lists, so
// that putting a session in and taking it out cost nothing and no step without sessions wakes us.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace revenant::media {

// T has members `T* wheel_next`, `T* wheel_previous` and `std::int64_t wheel_tick`.
template <typename T>
class Wheel {
public:
    static constexpr std::int64_t size = 64; // ticks; no session is put further ahead than this

    [[nodiscard]] bool empty() const { return occupied_ == 0; }

    void insert(T* item, std::int64_t tick) {
        const auto at = bucket(tick);
        item->wheel_tick = tick;
        item->wheel_previous = nullptr;
        item->wheel_next = buckets_[at];
        if (item->wheel_next != nullptr) {
            item->wheel_next->wheel_previous = item;
        }
        buckets_[at] = item;
        occupied_ |= std::uint64_t{1} << at;
    }

    void remove(T* item) {
        const auto at = bucket(item->wheel_tick);
        if (item->wheel_next != nullptr) {
            item->wheel_next->wheel_previous = item->wheel_previous;
        }
        if (item->wheel_previous != nullptr) {
            item->wheel_previous->wheel_next = item->wheel_next;
        } else {
            buckets_[at] = item->wheel_next;
            if (buckets_[at] == nullptr) {
                occupied_ &= ~(std::uint64_t{1} << at);
            }
        }
    }

    // The first tick from `from` on in which somebody waits.
    [[nodiscard]] std::optional<std::int64_t> next_tick(std::int64_t from) const {
        if (occupied_ == 0) {
            return std::nullopt;
        }
        const std::uint64_t turned = std::rotr(occupied_, static_cast<int>(bucket(from)));
        return from + std::countr_zero(turned);
    }

    // The sessions of `tick`, linked by `wheel_next`, taken out.
    [[nodiscard]] T* take(std::int64_t tick) {
        const auto at = bucket(tick);
        T* const items = buckets_[at];
        buckets_[at] = nullptr;
        occupied_ &= ~(std::uint64_t{1} << at);
        return items;
    }

private:
    static std::size_t bucket(std::int64_t tick) { return static_cast<std::size_t>(tick % size); }

    std::array<T*, size> buckets_{};
    std::uint64_t occupied_ = 0;
};

} // namespace revenant::media
