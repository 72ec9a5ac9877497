// What a step asks to be done, in order. Every effect is about the Binding that the step returned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "revenant/account/registration.hpp"

namespace revenant::account {

enum class News : std::uint8_t {
    registering,  // the first try, not each refresh
    registered,   // it is there; not each refresh
    refreshed,    // quiet
    unregistered, // the user's wish
    refused,      // for good, with what to do
    waiting,      // it has failed, and is tried again
    lost,         // the binding is gone before it could be refreshed
    restored,     // of an earlier life, and nothing had to be said
    moved,        // to another registrar or address
    trouble,
};

[[nodiscard]] std::string_view name(News news);

namespace effect {

// The record, before anything that follows. When it cannot be stored, it is as if the step had not
// been: what follows is not done, and event::StoreFailed comes to the Binding before it.
struct Persist {};

struct Forget {}; // the record

// A REGISTER with the record's Call-ID, CSeq, Contact and challenges. `expires_s` 0 removes the
// binding. If the record has an `old_contact`, that is named too, with expires=0.
struct Send {
    std::uint32_t expires_s = 0;
    // With credentials for these: the record's, whose counts are stored.
    std::vector<Challenge> answers = {};
};

// No answer to it is waited for any more.
struct Abandon {};

// event::Due at this instant of the boot clock; replaces the one before.
struct WaitUntil {
    std::int64_t boot_ms = 0;
};

struct WaitForNothing {};

struct Tell {
    News news = News::trouble;
    std::string detail = {}; // what there is to say beyond the record
};

} // namespace effect

using Effect = std::variant<effect::Persist,
                            effect::Forget,
                            effect::Send,
                            effect::Abandon,
                            effect::WaitUntil,
                            effect::WaitForNothing,
                            effect::Tell>;

} // namespace revenant::account
