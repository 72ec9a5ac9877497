// What each option does with what was said: the value is read, and put into its place.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "shell/option_table.hpp"
#include "shell/values.hpp"

namespace revenant::shell::apply {

// Puts a value that was read into its place, or hands the error on.
template <typename T, typename To>
base::Status keep(base::Result<T> value, To& place) {
    if (!value) {
        return base::fail(std::move(value.error()));
    }
    place = std::move(*value);
    return {};
}

template <bool Options::*field>
base::Status turn_on(Draft& draft, const Said& said) {
    draft.options.*field = said.is_on;
    return {};
}

// For a field that says that something is off.
template <bool Options::*field>
base::Status turn_off(Draft& draft, const Said& said) {
    draft.options.*field = !said.is_on;
    return {};
}

template <std::uint32_t Options::*field, std::uint32_t min, std::uint32_t max>
base::Status number(Draft& draft, const Said& said) {
    return keep(read_number(said.name, said.text, min, max), draft.options.*field);
}

// --die-before-effect N and the like.
template <base::KillPoint point, base::Death death>
base::Status die(Draft& draft, const Said& said) {
    draft.options.death = death;
    draft.options.die_at = point;
    return keep(read_number(said.name, said.text, 1, 1'000'000), draft.options.die_count);
}

base::Status aor(Draft& draft, const Said& said);
base::Status listen(Draft& draft, const Said& said);
base::Status outbound_proxy(Draft& draft, const Said& said);
base::Status credentials(Draft& draft, const Said& said);
base::Status state(Draft& draft, const Said& said);
base::Status config(Draft& draft, const Said& said);
base::Status auto_answer(Draft& draft, const Said& said);
base::Status resume(Draft& draft, const Said& said);
base::Status session_expires(Draft& draft, const Said& said);
base::Status audio(Draft& draft, const Said& said);
base::Status codecs(Draft& draft, const Said& said);
base::Status rtp_ports(Draft& draft, const Said& said);
base::Status command(Draft& draft, const Said& said);
base::Status file(Draft& draft, const Said& said);
base::Status verbose(Draft& draft, const Said& said);
base::Status crash_at(Draft& draft, const Said& said);
base::Status store_delay(Draft& draft, const Said& said);

} // namespace revenant::shell::apply
