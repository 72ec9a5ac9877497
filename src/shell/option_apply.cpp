#include "shell/option_apply.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "revenant/base/result.hpp"
#include "revenant/shell/options.hpp"
#include "shell/values.hpp"

namespace revenant::shell::apply {

namespace {

// A file is read from wherever the phone is started, and no shell expands what is in it.
base::Result<std::string> path_of(const Said& said) {
    return said.origin == Origin::file ? read_fixed_path(said.name, said.text)
                                       : read_path(said.name, said.text);
}

base::Result<std::string> nothing() {
    return std::string{};
}

} // namespace

base::Status aor(Draft& draft, const Said& said) {
    std::pair<std::string, std::string> who;
    base::Status status = keep(read_aor(said.name, said.text), who);
    if (status) {
        draft.options.display_name = std::move(who.first);
        draft.options.aor = std::move(who.second);
    }
    return status;
}

base::Status listen(Draft& draft, const Said& said) {
    Listen one;
    base::Status status = keep(read_listen(said.name, said.text), one);
    if (status) {
        draft.options.listen.push_back(one);
    }
    return status;
}

base::Status outbound_proxy(Draft& draft, const Said& said) {
    return keep(said.is_on ? read_uri(said.name, said.text) : nothing(),
                draft.options.outbound_proxy);
}

base::Status credentials(Draft& draft, const Said& said) {
    return keep(said.is_on ? path_of(said) : nothing(), draft.options.credentials_path);
}

base::Status state(Draft& draft, const Said& said) {
    return keep(said.text == "auto" ? read_path(said.name, said.text) : path_of(said),
                draft.options.state_directory);
}

base::Status config(Draft& draft, const Said& said) {
    draft.reads_config = said.is_on;
    return keep(said.is_on ? read_path(said.name, said.text) : nothing(), draft.config_path);
}

base::Status auto_answer(Draft& draft, const Said& said) {
    if (!said.is_on) {
        draft.options.auto_answer.reset();
        return {};
    }
    if (said.text.empty()) {
        draft.options.auto_answer = 200;
        return {};
    }
    return keep(read_number(said.name, said.text, 180, 699).map([](std::uint32_t n) {
        return static_cast<std::uint16_t>(n);
    }),
                draft.options.auto_answer);
}

base::Status resume(Draft& draft, const Said& said) {
    draft.options.resume_given = true;
    return keep(read_resume(said.name, said.text), draft.options.resume);
}

base::Status session_expires(Draft& draft, const Said& said) {
    // RFC 4028 §4: not below 90.
    return said.text == "0" ? keep(base::Result<std::uint32_t>{0}, draft.options.session_expires_s)
                            : keep(read_number(said.name, said.text, 90, 86400),
                                   draft.options.session_expires_s);
}

base::Status audio(Draft& draft, const Said& said) {
    std::pair<std::string, std::string> ends;
    base::Status status = keep(read_audio(said.name, said.text), ends);
    if (status && said.origin == Origin::file) {
        status = fix_audio_path(said.name, ends.first).and_then([&] {
            return fix_audio_path(said.name, ends.second);
        });
    }
    if (status) {
        draft.options.source = std::move(ends.first);
        draft.options.sink = std::move(ends.second);
    }
    return status;
}

base::Status codecs(Draft& draft, const Said& said) {
    return keep(read_codecs(said.name, said.text), draft.options.codecs);
}

base::Status rtp_ports(Draft& draft, const Said& said) {
    std::pair<std::uint16_t, std::uint16_t> ports;
    base::Status status = keep(read_rtp_ports(said.name, said.text), ports);
    if (status) {
        draft.options.rtp_port_min = ports.first;
        draft.options.rtp_port_max = ports.second;
    }
    return status;
}

base::Status command(Draft& draft, const Said& said) {
    draft.sources.push_back({.is_file = false, .text = std::string{said.text}});
    return {};
}

base::Status file(Draft& draft, const Said& said) {
    draft.sources.push_back({.is_file = true, .text = std::string{said.text}});
    return {};
}

base::Status verbose(Draft& draft, const Said& said) {
    if (said.origin != Origin::file) { // -vv is -v twice
        draft.options.verbosity = said.is_on ? draft.options.verbosity + 1 : 0;
        return {};
    }
    return keep(read_number(said.name, said.text, 0, 2).map([](std::uint32_t n) {
        return static_cast<int>(n);
    }),
                draft.options.verbosity);
}

base::Status crash_at(Draft& draft, const Said& said) {
    return keep(read_crash_point(said.name, said.text), draft.options.crash_at);
}

base::Status store_delay(Draft& draft, const Said& said) {
    const std::size_t comma = std::min(said.text.find(','), said.text.size());
    const std::string_view when = said.text.substr(comma);
    if (!when.empty() && when != ",early" && when != ",late") {
        return base::fail(base::Errc::bad_input,
                          std::string{said.name} + " takes MS, MS,early or MS,late");
    }
    draft.options.store_delay.is_written_at_once = when != ",late";
    return keep(read_number(said.name, said.text.substr(0, comma), 0, 10'000),
                draft.options.store_delay.most_ms);
}

} // namespace revenant::shell::apply
