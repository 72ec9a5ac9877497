// The options from their three sources: the command line, the environment, the configuration file.
#include "revenant/shell/options.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/script.hpp"
#include "shell/command_line.hpp"
#include "shell/config_file.hpp"
#include "shell/option_table.hpp"
#include "shell/suggest.hpp"
#include "shell/values.hpp"

namespace revenant::shell {

namespace {

constexpr std::string_view phone_group = "phone";

tl::unexpected<base::Error> wrong(std::string context) {
    return base::fail(base::Errc::bad_input, std::move(context));
}

// The XDG base directory specification: a path that is not absolute is to be ignored. Empty if the
// environment has none.
std::string xdg_directory(const char* variable, const char* in_home) {
    const std::string xdg = environment(variable);
    if (xdg.starts_with('/')) {
        return xdg + "/revenant";
    }
    const std::string home = environment("HOME");
    return home.starts_with('/') ? home + "/" + in_home + "/revenant" : std::string{};
}

class Reader {
public:
    base::Result<Options>
    read(int argc, const char* const* argv, const Configuration* earlier, bool has_keeper);

private:
    base::Status take(const OptionRow& row, const Said& said);
    base::Status read_environment();
    [[nodiscard]] base::Result<Configuration> find_configuration() const;
    base::Status read_configuration(const Configuration& config);
    base::Status take_entry(const Configuration& config, const ConfigEntry& entry);
    base::Status take_value(const OptionRow& row, Said said);
    base::Status default_state();
    base::Status read_sources();

    bool is_later_life_ = false; // of a kept phone
    Draft draft_;
    Draft ignored_; // what something else wins against
    std::vector<Origin> origins_ = std::vector<Origin>(option_table().size(), Origin::nowhere);
};

// The sources come in the order of their weight: what is said later counts where nothing was said.
base::Status Reader::take(const OptionRow& row, const Said& said) {
    Origin& origin = origins_[static_cast<std::size_t>(&row - option_table().data())];
    if (origin > said.origin) {
        return row.apply(ignored_, said); // it has to be right all the same
    }
    origin = said.origin;
    return row.apply(draft_, said);
}

base::Status Reader::read_environment() {
    const auto table = option_table();
    for (std::size_t i = 0; i < table.size(); ++i) {
        const std::string name{table[i].environment};
        const std::string text = name.empty() ? "" : environment(name.c_str());
        if (text.empty() || origins_[i] != Origin::nowhere) {
            continue;
        }
        auto status = take(table[i], {.name = name, .text = text, .origin = Origin::environment});
        if (!status) {
            return status;
        }
    }
    return {};
}

base::Result<Configuration> Reader::find_configuration() const {
    if (!draft_.reads_config) {
        return Configuration{};
    }
    if (!draft_.config_path.empty()) {
        return read_config_file(draft_.config_path);
    }
    const std::string directory = xdg_directory("XDG_CONFIG_HOME", ".config");
    if (directory.empty()) {
        return Configuration{};
    }
    auto config = read_config_file(directory + "/revenant.conf");
    return !config && config.error().code == base::Errc::not_found ? Configuration{}
                                                                   : std::move(config);
}

base::Status Reader::read_configuration(const Configuration& config) {
    auto entries = parse_config(config);
    if (!entries) {
        return base::fail(std::move(entries.error()));
    }
    for (const ConfigEntry& entry : *entries) {
        if (entry.group != phone_group) {
            const bool is_near =
                edit_distance(phone_group, base::to_lower(entry.group.substr(0, 40))) <= 2;
            return wrong(config_place(config, entry.line) + "there is no group [" +
                         base::printable(entry.group, 40) +
                         (is_near ? "]; did you mean [phone]?" : "]; options stand in [phone]"));
        }
        if (entry.key.empty()) {
            continue;
        }
        if (auto status = take_entry(config, entry); !status) {
            return status;
        }
    }
    return {};
}

base::Status Reader::take_entry(const Configuration& config, const ConfigEntry& entry) {
    const std::string place = config_place(config, entry.line);
    const OptionRow* row = find_option(entry.key);
    if (row != nullptr && row->has_key) {
        return take_value(*row,
                          {.name = place + entry.key, .text = entry.value, .origin = Origin::file});
    }
    if (row != nullptr) {
        return wrong(place + "'" + entry.key + "' is for the command line only");
    }
    std::vector<Spelling> spellings;
    for (const OptionRow& known : option_table()) {
        if (known.has_key) {
            const std::string name{known.name};
            spellings.push_back({.text = name, .meaning = name});
            spellings.push_back({.text = "no-" + name, .meaning = name});
            spellings.push_back({.text = std::string{known.alias}, .meaning = name});
        }
    }
    const std::string guess = did_you_mean(nearest(spellings, entry.key));
    return wrong(place + "there is no key '" + base::printable(entry.key, 40) + "' in [phone]" +
                 (guess.empty() ? "; the keys are the long options of --help" : guess));
}

// A value as a file has it.
base::Status Reader::take_value(const OptionRow& row, Said said) {
    const std::optional<bool> is_on = to_bool(said.text);
    const bool is_switch = row.takes == Takes::nothing;
    if (is_switch && !is_on) {
        return wrong(said.name + " takes true or false, not '" + base::printable(said.text, 80) +
                     "'");
    }
    if (row.takes == Takes::optional_value && said.text.empty()) {
        return wrong(said.name + " takes true, false or " + std::string{row.argument});
    }
    if (is_switch || (row.takes == Takes::optional_value && is_on)) {
        said.is_on = *is_on;
        said.text = "";
    }
    if (!row.is_repeatable) {
        return take(row, said);
    }
    std::string_view rest = base::trim(said.text);
    do {
        const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
        said.text = rest.substr(0, end);
        if (auto status = take(row, said); !status) {
            return status;
        }
        rest = base::trim(rest.substr(end));
    } while (!rest.empty());
    return {};
}

base::Status Reader::default_state() {
    Options& options = draft_.options;
    const bool is_automatic = options.state_directory == "auto";
    if (!options.state_directory.empty() && !is_automatic) {
        return {};
    }
    options.state_directory = xdg_directory("XDG_STATE_HOME", ".local/state");
    if (options.state_directory.empty()) {
        return wrong("neither XDG_STATE_HOME nor HOME is an absolute path: say --state DIR");
    }
    if (is_automatic) {
        options.state_directory += "/phones/" + state_name(options);
    }
    return {};
}

base::Status Reader::read_sources() {
    Options& options = draft_.options;
    std::size_t commands = 0;
    for (const ScriptSource& source : draft_.sources) {
        if (!source.is_file) {
            options.script.push_back(
                {.text = source.text, .origin = "-c " + std::to_string(++commands)});
            options.is_scripted = true;
            continue;
        }
        if (source.text == "-" && options.interactive) {
            return wrong("--interactive needs the stdin that -f - reads to its end");
        }
        if (source.text == "-" && is_later_life_) {
            continue; // the first has read it to its end; a terminal would be waited for
        }
        auto lines = read_script(source.text);
        if (!lines && is_later_life_) {
            continue; // the first has run it, and a script that is gone takes no call away
        }
        if (!lines) {
            return base::fail(std::move(lines.error()));
        }
        options.script.insert(options.script.end(), lines->begin(), lines->end());
        options.is_scripted = true;
    }
    options.reads_stdin = draft_.sources.empty() && !options.interactive;
    options.interactive = options.interactive || draft_.sources.empty();
    return {};
}

base::Result<Options>
Reader::read(int argc, const char* const* argv, const Configuration* earlier, bool has_keeper) {
    is_later_life_ = earlier != nullptr;
    std::optional<base::Error> error = read_command_line(
        argc, argv, [this](const OptionRow& row, const Said& said) { return take(row, said); });
    if (draft_.options.help || draft_.options.version) {
        return std::move(draft_.options);
    }
    if (error) {
        return base::fail(std::move(*error));
    }
    return read_environment()
        .and_then([&] { return earlier != nullptr ? *earlier : find_configuration(); })
        .and_then([this](Configuration config) {
            auto status = read_configuration(config);
            draft_.options.configuration = std::move(config);
            return status;
        })
        .and_then([this] { return default_state(); })
        .and_then(
            [&] { return draft_.options.keep && !has_keeper ? base::Status{} : read_sources(); })
        .map([this] { return std::move(draft_.options); });
}

} // namespace

base::Result<Options>
read_options(int argc, const char* const* argv, const Configuration* earlier, bool has_keeper) {
    return Reader{}.read(argc, argv, earlier, has_keeper);
}

} // namespace revenant::shell
