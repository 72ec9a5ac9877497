#include <cstdio>
#include <string>

#include "revenant/app/phone.hpp"
#include "revenant/base/result.hpp"
#include "revenant/shell/options.hpp"

int main(int argc, char** argv) {
    using namespace revenant;
    const auto earlier = app::kept_configuration();
    const bool has_keeper = app::has_keeper();
    const base::Result<shell::Options> options =
        shell::read_options(argc, argv, earlier ? &*earlier : nullptr, has_keeper);
    if (!options) {
        static_cast<void>(std::fprintf(stderr, "revenant: %s\n", options.error().context.c_str()));
        return app::exit_usage;
    }
    if (options->help) {
        static_cast<void>(std::fputs(shell::usage().c_str(), stdout));
        return app::exit_success;
    }
    if (options->version) {
        static_cast<void>(std::puts("revenant " REVENANT_VERSION));
        return app::exit_success;
    }
    if (options->keep && !has_keeper) {
        return app::run_kept(argc, argv);
    }
    return app::run_phone(*options);
}
