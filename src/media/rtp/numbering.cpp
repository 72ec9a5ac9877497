#include "media/rtp/numbering.hpp"

namespace revenant::media {

namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

} // namespace

std::int64_t index_at(const Run& run, std::int64_t boot_ns) {
    return static_cast<std::int64_t>(run.index) + floor_div(boot_ns - run.boot_ns, run.period_ns);
}

std::uint32_t timestamp_of(const Run& run, std::uint64_t index) {
    // Modulo 2^32 throughout, as RTP timestamps are.
    return run.timestamp + static_cast<std::uint32_t>(index - run.index) * run.step;
}

std::uint32_t timestamp_at(const Run& run, std::int64_t boot_ns) {
    const std::int64_t elapsed = boot_ns - run.boot_ns;
    const std::int64_t packets = floor_div(elapsed, run.period_ns);
    const std::int64_t rest = elapsed - packets * run.period_ns;
    return run.timestamp + static_cast<std::uint32_t>(packets) * run.step +
           static_cast<std::uint32_t>(rest * run.step / run.period_ns);
}

Run rebased(const Run& run, const base::Now& now) {
    Run result = run;
    result.boot_ns = floor_div(now.boot_ns - (now.real_ns - run.real_ns), grid_ns) * grid_ns;
    return result;
}

Run next_run(const Run& old,
             std::uint64_t last_index,
             std::int64_t boot_ns,
             const base::Now& now,
             std::uint32_t step,
             std::int64_t period_ns) {
    Run run;
    run.index = last_index < old.index ? old.index : last_index + 1;
    run.timestamp = timestamp_at(old, boot_ns);
    if (last_index >= old.index) {
        const std::uint32_t floor = timestamp_of(old, last_index) + old.step;
        if (static_cast<std::int32_t>(run.timestamp - floor) < 0) {
            run.timestamp = floor;
        }
    }
    run.step = step;
    run.boot_ns = boot_ns;
    run.real_ns = now.real_ns + (boot_ns - now.boot_ns);
    run.period_ns = period_ns;
    return run;
}

std::int64_t next_in_phase(std::int64_t boot_ns, std::int64_t phase, std::int64_t period_ns) {
    const std::int64_t steps = period_ns / grid_ns;
    const std::int64_t first = floor_div(boot_ns, grid_ns) + 1;
    const std::int64_t ahead = ((phase - first) % steps + steps) % steps;
    return (first + ahead) * grid_ns;
}

} // namespace revenant::media
