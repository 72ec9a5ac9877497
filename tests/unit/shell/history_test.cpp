#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "shell/history.hpp"

using revenant::shell::History;
using Lines = std::vector<std::string>;

namespace {

// A directory with a history in it, removed at the end.
struct Folder {
    std::string path;

    Folder() {
        char name[] = "/tmp/revenant_history_test.XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path = name;
    }

    ~Folder() {
        ::unlink(file().c_str());
        ::rmdir(path.c_str()); // fails, and the test with it, if a temporary file was left
    }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::string file() const { return path + "/history"; }

    [[nodiscard]] std::string text() const {
        std::ifstream in{file()};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

    [[nodiscard]] unsigned mode() const {
        struct stat about {};

        return ::stat(file().c_str(), &about) == 0 ? about.st_mode & 07777U : 0;
    }
};

} // namespace

TEST_CASE("each line is in the file as soon as it is entered, which only the owner may read") {
    const Folder folder;
    History history;
    REQUIRE(history.load(folder.file()).has_value());
    REQUIRE(history.add("invite sip:bob@example.org", true).has_value());
    CHECK(folder.text() == "invite sip:bob@example.org\n");
    CHECK(folder.mode() == 0600);
    REQUIRE(history.add("list", true).has_value());
    History next;
    REQUIRE(next.load(folder.file()).has_value());
    CHECK(next.lines() == Lines{"invite sip:bob@example.org", "list"});
}

TEST_CASE("a line that is not for the file is remembered, and not written") {
    const Folder folder;
    History history;
    REQUIRE(history.load(folder.file()).has_value());
    REQUIRE(history.add("kye secret", false).has_value());
    CHECK(history.lines() == Lines{"kye secret"});
    CHECK(folder.text().empty());
}

TEST_CASE("blank lines, lines that begin with a blank and repeated lines are not wanted") {
    History history;
    CHECK_FALSE(history.wants(""));
    CHECK_FALSE(history.wants("  "));
    CHECK_FALSE(history.wants(" list"));
    CHECK_FALSE(history.wants("\tlist"));
    CHECK(history.wants("list"));
    REQUIRE(history.add("list", false).has_value());
    CHECK_FALSE(history.wants("list"));
    CHECK(history.wants("list 1"));
}

TEST_CASE("the file is cut to its newest 1,000 lines when it is opened, and stays private") {
    const Folder folder;
    {
        std::ofstream out{folder.file()};
        for (int i = 1; i <= 1500; ++i) {
            out << "info " << i << "\n";
        }
    }
    ::chmod(folder.file().c_str(), 0644);
    History history;
    REQUIRE(history.load(folder.file()).has_value());
    CHECK(history.lines().size() == History::lines_max);
    CHECK(history.lines().front() == "info 501");
    CHECK(history.lines().back() == "info 1500");
    CHECK(folder.text().starts_with("info 501\n"));
    CHECK(folder.mode() == 0600);
    REQUIRE(history.add("list", true).has_value());
    CHECK(folder.text().ends_with("info 1500\nlist\n"));
}

TEST_CASE("a readable history of others becomes private") {
    const Folder folder;
    std::ofstream{folder.file()} << "list\n";
    ::chmod(folder.file().c_str(), 0644);
    History history;
    REQUIRE(history.load(folder.file()).has_value());
    CHECK(folder.mode() == 0600);
}

TEST_CASE("a history that cannot be read is a warning, once, and is left alone") {
    const Folder folder;
    History history;
    const auto status = history.load(folder.path); // a directory
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().context == "cannot read the history " + folder.path + ": Is a directory");
    CHECK(history.add("list", true).has_value());
    CHECK(history.lines() == Lines{"list"});
}

TEST_CASE("a history that cannot be written is reported once") {
    const Folder folder;
    History history;
    REQUIRE(history.load(folder.path + "/missing/history").has_value());
    CHECK_FALSE(history.add("list", true).has_value());
    CHECK(history.add("list 1", true).has_value());
}

TEST_CASE("what a damaged file holds cannot move the cursor") {
    const Folder folder;
    std::ofstream{folder.file()} << "a\033[2Jb\n\xFF\n";
    History history;
    REQUIRE(history.load(folder.file()).has_value());
    CHECK(history.lines() == Lines{"a?[2Jb", "?"});
}
