// A place for a function that stands in front of one of libc's or of a library's.
#pragma once

#include <atomic>

#include "sip/interpose/library.hpp"

namespace revenant::sip {

// The part of a slot that does not know the function's type.
class Front {
public:
    constexpr explicit Front(const char* name) : name_{name} {}

    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    [[nodiscard]] const char* name() const { return name_; }

    // The function that has the name by right; null if there is none. Of any thread.
    [[nodiscard]] void* own_address();

    // Whether somebody has come through since the program's start.
    [[nodiscard]] bool is_reached() const { return is_reached_.load(std::memory_order_relaxed); }

    // For a test that looks who comes.
    void forget_reached() { is_reached_.store(false, std::memory_order_relaxed); }

    // Whether something of ours runs.
    [[nodiscard]] bool is_taken() const { return is_taken_; }

protected:
    ~Front() = default;

    void note_reached() {
        if (!is_reached()) { // else threads would take the cache line from each other
            is_reached_.store(true, std::memory_order_relaxed);
        }
    }

    void note_taken() { is_taken_ = true; }

private:
    const char* name_;
    std::atomic<void*> own_{nullptr};
    std::atomic<bool> is_reached_{false};
    bool is_taken_ = false;
};

template <typename Signature>
class Slot;

template <typename R, typename... Arguments>
class Slot<R(Arguments...)> : public Front {
public:
    using Function = R(Arguments...);
    using Front::Front;

    void take(Function* ours) {
        ours_ = ours;
        note_taken();
    }

    [[nodiscard]] Function* own() { return reinterpret_cast<Function*>(own_address()); }

    // What the function of that name does.
    R operator()(Arguments... arguments) {
        note_reached();
        return ours_ != nullptr ? ours_(arguments...) : own()(arguments...);
    }

private:
    Function* ours_ = nullptr;
};

// For a function that takes tags one by one: ours gets them as a list.
template <typename Signature>
class TaggedSlot;

template <typename R, typename... Arguments>
class TaggedSlot<R(Arguments...)> : public Front {
public:
    using Function = R(Arguments..., const tagi_t*);
    using Front::Front;

    void take(Function* ours) {
        ours_ = ours;
        note_taken();
    }

    [[nodiscard]] auto* own() {
        return reinterpret_cast<R (*)(Arguments..., tag_type_t, tag_value_t, ...)>(own_address());
    }

    R operator()(Arguments... arguments, const tagi_t* tags) {
        note_reached();
        return ours_ != nullptr ? ours_(arguments..., tags) : own()(arguments..., TAG_NEXT(tags));
    }

private:
    Function* ours_ = nullptr;
};

// At namespace scope: `ours` stands in front from before `main` on.
class Standing {
public:
    template <typename SomeSlot>
    Standing(SomeSlot& slot, typename SomeSlot::Function* ours) {
        slot.take(ours);
    }
};

} // namespace revenant::sip
