// The configuration file, from its bytes to Options. The first byte chooses a command line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/text.hpp"
#include "revenant/shell/options.hpp"
#include "shell/config_file.hpp"
#include "shell/option_table.hpp"

using namespace revenant;

namespace {

void expect(bool true_always) {
    if (!true_always) {
        std::abort();
    }
}

void expect_good_error(const std::string& text) {
    expect(base::printable(text, text.size()) == text); // nothing that moves the cursor
    expect(text.starts_with("/c:"));                    // and the line
    const std::string_view line = std::string_view{text}.substr(3);
    expect(base::to_u32(line.substr(0, line.find(':'))).value_or(0) > 0);
}

void try_entries(const shell::Configuration& config) {
    const auto entries = shell::parse_config(config);
    if (!entries) {
        expect_good_error(entries.error().context);
        return;
    }
    std::size_t line = 0;
    for (const shell::ConfigEntry& entry : *entries) {
        expect(entry.line > line && !entry.group.empty());
        line = entry.line;
        const auto same = [&entry](const shell::ConfigEntry& other) {
            return other.group == entry.group && other.key == entry.key;
        };
        expect(std::ranges::count_if(*entries, same) == 1);
    }
    expect(line <= static_cast<std::size_t>(std::ranges::count(config.text, '\n')) + 1);
}

void try_options(const shell::Configuration& config, bool is_overruled) {
    std::vector<const char*> argv{"revenant", "--state=/s"};
    if (is_overruled) {
        argv.insert(argv.end(), {"--aor=sip:a@b", "--listen=127.0.0.1", "--max-calls=7",
                                 "--no-durable", "--rtp-ports=30000-30001", "--audio=echo"});
    }
    argv.push_back(nullptr);
    const auto options =
        shell::read_options(static_cast<int>(argv.size()) - 1, argv.data(), &config);
    if (!options) {
        expect_good_error(options.error().context);
        return;
    }
    expect(options->configuration == config && options->state_directory == "/s");
    expect(!options->help && !options->version && options->script.empty());
    expect(options->rtp_port_min % 2 == 0 && options->rtp_port_min < options->rtp_port_max);
    expect(options->ringing_max >= 1 && options->ringing_max <= 10'000);
    expect(options->verbosity >= 0 && options->verbosity <= 2);
    expect(options->credentials_path.empty() || options->credentials_path.front() == '/');
    if (is_overruled) {
        expect(options->aor == "sip:a@b" && options->display_name.empty());
        expect(options->listen.size() == 1 && options->ringing_max == 7 && !options->durable);
        expect(options->rtp_port_min == 30'000 && options->source == "echo");
    }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    ::setenv("HOME", "/home/fuzz", 1);
    for (const shell::OptionRow& row : shell::option_table()) {
        ::unsetenv(std::string{row.environment}.c_str());
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const shell::Configuration config{.path = "/c",
                                      .text = {reinterpret_cast<const char*>(data) + 1, size - 1}};
    try_entries(config);
    try_options(config, data[0] % 2 == 1);
    return 0;
}
