#include "shell/config_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include <glib.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/options.hpp"
#include "shell/slurp.hpp"

namespace revenant::shell {

namespace {

using KeyFile = std::unique_ptr<GKeyFile, decltype(&g_key_file_unref)>;

KeyFile new_key_file() {
    return {g_key_file_new(), &g_key_file_unref};
}

tl::unexpected<base::Error>
wrong(const Configuration& config, std::size_t line, const std::string& what) {
    return base::fail(base::Errc::bad_input, config_place(config, line) + what);
}

// Without blanks at the ends of lines, which nobody sees, and which would be part of the values.
std::vector<std::string_view> lines_of(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) {
        text.remove_prefix(3); // a byte order mark, as some editors leave it
    }
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(base::trim(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string joined(const std::vector<std::string_view>& lines, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text.append(lines[i]) += '\n';
    }
    return text;
}

base::Status check_bytes(const Configuration& config, const std::vector<std::string_view>& lines) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!base::is_utf8(lines[i])) {
            return wrong(config, i + 1, "this is not UTF-8; write the file anew as UTF-8");
        }
        const bool has_control = std::ranges::any_of(lines[i], [](char c) {
            return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
        });
        if (has_control) {
            return wrong(config, i + 1, "there is a control character in this line");
        }
    }
    return {};
}

// GLib's complaint about the first `count` lines, if it has one.
std::optional<int>
complaint(GKeyFile* file, const std::vector<std::string_view>& lines, std::size_t count) {
    const std::string text = joined(lines, count);
    GError* error = nullptr;
    if (g_key_file_load_from_data(file, text.data(), text.size(), G_KEY_FILE_NONE, &error) !=
        FALSE) {
        return std::nullopt;
    }
    const int code = error->code;
    g_error_free(error);
    return code;
}

// GLib tells no line: it is the first with which the text cannot be read any more.
tl::unexpected<base::Error> bad_line(const Configuration& config,
                                     const std::vector<std::string_view>& lines) {
    std::size_t good = 0;
    std::size_t bad = lines.size();
    while (bad - good > 1) {
        const std::size_t middle = good + (bad - good) / 2;
        (complaint(new_key_file().get(), lines, middle) ? bad : good) = middle;
    }
    const auto code = complaint(new_key_file().get(), lines, bad);
    const std::string shown = "'" + base::printable(lines[bad - 1], 40) + "'";
    return code == G_KEY_FILE_ERROR_GROUP_NOT_FOUND
               ? wrong(config, bad, shown + " stands in no group; begin with a line [phone]")
               : wrong(config, bad,
                       shown + " is neither [GROUP] nor KEY = VALUE; a comment begins with #");
}

// Where the groups and keys are. The lines are well-formed.
std::vector<ConfigEntry> places(const std::vector<std::string_view>& lines) {
    std::vector<ConfigEntry> entries;
    std::string group;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view line = lines[i];
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        std::string key;
        if (line.starts_with('[')) {
            group = line.substr(1, line.find(']') - 1);
        } else {
            key = base::trim(line.substr(0, line.find('=')));
        }
        entries.push_back({.line = i + 1, .group = group, .key = std::move(key), .value = {}});
    }
    return entries;
}

base::Status check_twice(const Configuration& config, const std::vector<ConfigEntry>& entries) {
    std::vector<const ConfigEntry*> sorted;
    sorted.reserve(entries.size());
    for (const ConfigEntry& entry : entries) {
        sorted.push_back(&entry);
    }
    std::ranges::stable_sort(sorted, [](const ConfigEntry* a, const ConfigEntry* b) {
        return std::tie(a->group, a->key) < std::tie(b->group, b->key);
    });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        const ConfigEntry& one = *sorted[i - 1];
        const ConfigEntry& other = *sorted[i];
        if (one.group == other.group && one.key == other.key) {
            const std::string what = one.key.empty() ? "[" + base::printable(one.group, 40) + "]"
                                                     : "'" + base::printable(one.key, 40) + "'";
            return wrong(config, other.line,
                         what + " is in line " + std::to_string(one.line) + " already");
        }
    }
    return {};
}

base::Status read_value(const Configuration& config, GKeyFile* file, ConfigEntry& entry) {
    GError* error = nullptr;
    char* const value = g_key_file_get_string(file, entry.group.c_str(), entry.key.c_str(), &error);
    entry.value = value == nullptr ? "" : value;
    g_free(value); // there may be one with an error, too
    // A translation, KEY[de], is not found: GLib passes over it, and nobody has such a key.
    const bool is_bad = error != nullptr && error->code != G_KEY_FILE_ERROR_KEY_NOT_FOUND;
    g_clear_error(&error);
    if (is_bad) {
        return wrong(config, entry.line,
                     base::printable(entry.key, 40) +
                         R"( has a \ that escapes nothing; \\ stands for one)");
    }
    return {};
}

} // namespace

std::string config_place(const Configuration& config, std::size_t line) {
    return base::printable(config.path) + ":" + std::to_string(line) + ": ";
}

base::Result<Configuration> read_config_file(const std::string& path) {
    const auto cannot = [&path](base::Errc code, const std::string& why) {
        return base::fail(code, "cannot read the configuration " + base::printable(path) + ": " +
                                    why + "; --no-config goes on without");
    };
    // Whatever it is, opening it does not wait.
    const base::Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};

    struct stat status {};

    if (!fd || ::fstat(fd.get(), &status) != 0) {
        const int error = errno;
        // In a folder that we may not look into there is nothing for us, as under systemd's
        // ProtectHome; a file that is there has to be readable.
        const bool is_missing = error == ENOENT || error == ENOTDIR ||
                                (error == EACCES && ::stat(path.c_str(), &status) != 0);
        return cannot(is_missing ? base::Errc::not_found : base::Errc::io,
                      std::generic_category().message(error));
    }
    if (!S_ISREG(status.st_mode)) {
        return cannot(base::Errc::bad_input, "it is no regular file");
    }
    auto text = slurp(fd.get(), config_size_max);
    if (!text) {
        return cannot(text.error().code, text.error().context);
    }
    return Configuration{.path = path, .text = std::move(*text)};
}

base::Result<std::vector<ConfigEntry>> parse_config(const Configuration& config) {
    const std::vector<std::string_view> lines = lines_of(config.text);
    if (auto status = check_bytes(config, lines); !status) {
        return base::fail(std::move(status.error()));
    }
    const KeyFile file = new_key_file();
    if (complaint(file.get(), lines, lines.size())) {
        return bad_line(config, lines);
    }
    std::vector<ConfigEntry> entries = places(lines);
    if (auto status = check_twice(config, entries); !status) {
        return base::fail(std::move(status.error()));
    }
    for (ConfigEntry& entry : entries) {
        if (entry.key.empty()) {
            continue;
        }
        if (auto status = read_value(config, file.get(), entry); !status) {
            return base::fail(std::move(status.error()));
        }
    }
    return entries;
}

} // namespace revenant::shell
