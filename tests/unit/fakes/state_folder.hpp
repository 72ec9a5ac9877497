// A state directory that goes away, and a store in it.
#pragma once

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "revenant/journal/file_store.hpp"
#include "revenant/journal/store.hpp"
#include "unit/fakes/sample_dialogs.hpp"

namespace revenant::journal::test {

namespace fs = std::filesystem;

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (fs::temp_directory_path() / "revenant-journal-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }

    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    ~TemporaryDirectory() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }

    [[nodiscard]] std::string state() const { return path / "state"; }

    [[nodiscard]] std::string record(const std::string& name) const {
        return path / "state" / "dialogs" / name;
    }

    fs::path path;
};

// Permissions mean nothing to root, so tests of them run as somebody else.
class Unprivileged {
public:
    Unprivileged() : before_{::geteuid()} {
        if (before_ == 0) {
            REQUIRE(::seteuid(65534) == 0);
        }
    }

    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

    ~Unprivileged() {
        if (::seteuid(before_) != 0) {
            std::abort();
        }
    }

private:
    uid_t before_;
};

inline void write(const std::string& path, const std::string& text) {
    std::ofstream{path} << text;
    REQUIRE(fs::exists(path));
}

inline std::string read(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

inline ino_t inode(const std::string& path) {
    struct stat status {};

    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_ino;
}

inline std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{directory}) {
        names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
}

inline std::unique_ptr<PromptStore> open(const std::string& directory, bool durable = false) {
    auto store = open_file_store({.directory = directory, .durable = durable});
    REQUIRE_MESSAGE(store, store.error().context);
    return *std::move(store);
}

inline Loaded load(Store& store) {
    auto loaded = store.load();
    REQUIRE_MESSAGE(loaded, loaded.error().context);
    return *std::move(loaded);
}

// What a next start finds.
inline Loaded restart(const TemporaryDirectory& directory) {
    return load(*open(directory.state()));
}

inline call::Dialog numbered(call::Number number) {
    call::Dialog dialog = sample_caller();
    dialog.number = number;
    return dialog;
}

inline bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Runs `attempt` while no file may grow beyond 100 bytes: a write that is cut in the middle.
inline void with_small_files(const std::function<void()>& attempt) {
    const auto before_signal = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit small = before;
    small.rlim_cur = 100;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    attempt();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    (void)std::signal(SIGXFSZ, before_signal);
}

} // namespace revenant::journal::test
