// Records as text: with a member that is spoiled, and what reading one must say.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace revenant::journal::test {

// The sample record with one member replaced.
inline std::string with(const char* pointer, const nlohmann::json& value) {
    nlohmann::json record = nlohmann::json::parse(encode(sample_caller()));
    record.at(nlohmann::json::json_pointer{pointer}) = value;
    return record.dump();
}

inline void refused(const std::string& text, std::string_view part) {
    const auto dialog = decode(text);
    REQUIRE_FALSE(dialog);
    CHECK(dialog.error().code == base::Errc::corrupt);
    CHECK_MESSAGE(dialog.error().context.find(part) != std::string::npos, dialog.error().context);
}

inline bool round_trips(const call::Dialog& dialog) {
    const auto again = decode(encode(dialog));
    REQUIRE_MESSAGE(again, again.error().context);
    return *again == dialog;
}

} // namespace revenant::journal::test
