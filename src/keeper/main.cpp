#include <cstdio>

#include "keeper/keeper.hpp"
#include "keeper/limits.hpp"
#include "keeper/options.hpp"
#include "keeper/say.hpp"
#include "keeper/signals.hpp"

int main(int /*argc*/, char** argv) {
    using namespace revenant::keeper;
    const Options options = read_options(argv);
    if (!options.error.empty()) {
        say(options.error + " (--help tells more)");
        return 2;
    }
    if (options.help || options.version) {
        const char* const text = options.help ? usage : "revenant-keeper " REVENANT_VERSION "\n";
        return std::fputs(text, stdout) < 0 ? 1 : 0;
    }
    prepare_descriptors();
    const Ending ending = Keeper{options}.run();
    if (ending.signal != 0) {
        die_by(ending.signal);
    }
    return ending.status;
}
