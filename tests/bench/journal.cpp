// What one write to the journal costs: journal DIRECTORY RECORD COUNT [durable]
// RECORD is a dialog record to write under the numbers 1 to 100, COUNT times in all.
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/record.hpp"
#include "tools.hpp"

using namespace bench;

namespace {

constexpr std::size_t records = 100;

revenant::call::Dialog read_record(const char* path) {
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    const auto dialog = revenant::journal::decode(text.str());
    if (!dialog) {
        give_up("cannot read " + std::string{path} + ": " + dialog.error().context);
    }
    return *dialog;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        give_up("usage: journal DIRECTORY RECORD COUNT [durable]");
    }
    revenant::call::Dialog dialog = read_record(argv[2]);
    auto store = revenant::journal::open_file_store({.directory = argv[1], .durable = argc > 4});
    if (!store || !(*store)->load() || !(*store)->next_epoch()) {
        give_up("cannot open a journal in " + std::string{argv[1]});
    }
    std::vector<double> first;
    std::vector<double> again;
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::atoll(argv[3])); ++i) {
        dialog.number = static_cast<revenant::call::Number>(1 + i % records);
        const Ns begin = now();
        if (const auto saved = (*store)->save(dialog); !saved) {
            give_up(saved.error().context);
        }
        (i < records ? first : again).push_back(in_ms(now() - begin) * 1000);
    }
    std::vector<double> removed;
    for (std::size_t i = 1; i <= records; ++i) {
        const Ns begin = now();
        static_cast<void>((*store)->remove(static_cast<revenant::call::Number>(i)));
        removed.push_back(in_ms(now() - begin) * 1000);
    }
    std::printf("{");
    print_numbers("first_us", first, ", ");
    print_numbers("again_us", again, ", ");
    print_numbers("remove_us", removed, "}\n");
    return 0;
}
