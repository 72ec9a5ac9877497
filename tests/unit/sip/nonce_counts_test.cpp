// The page of nonce counts: no count twice, and nothing in the file stops a start.
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "sip/sofia/digest.hpp"
#include "sip/sofia/nonce_counts.hpp"

using namespace revenant;
using sip::nonce_counts::next;

namespace {

account::Challenge challenge(const std::string& nonce, std::uint32_t count = 0) {
    return {.realm = "r", .nonce = nonce, .nonce_count = count};
}

class Folder {
public:
    Folder() {
        char name[] = "/tmp/revenant-nonces-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    ~Folder() {
        sip::nonce_counts::open({});
        std::filesystem::remove_all(path_);
    }

    [[nodiscard]] std::string page() const { return path_ + "/nonces.page"; }

private:
    std::string path_;
};

void write(const std::string& path, const std::string& content) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
}

std::string read(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

TEST_CASE("each nonce is counted by itself, from one or from what was used elsewhere") {
    const Folder folder;
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(next("alice", challenge("a")) == 1);
    CHECK(next("alice", challenge("a")) == 2);
    CHECK(next("alice", challenge("b")) == 1);
    CHECK(next("bob", challenge("a")) == 1);
    CHECK(next("alice", challenge("a", 7)) == 8);
    CHECK(next("alice", challenge("a")) == 9);
    CHECK(next("alic", challenge("ea")) == 1);
}

TEST_CASE("a process that is killed has used the counts that it had") {
    const Folder folder;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const bool is_there = sip::nonce_counts::open(folder.page());
        static_cast<void>(next("alice", challenge("a")));
        ::kill(::getpid(), is_there && next("alice", challenge("a")) == 2 ? SIGKILL : SIGTERM);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WTERMSIG(status) == SIGKILL);
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(next("alice", challenge("a")) == 3);
    CHECK(next("alice", challenge("b")) == 1);

    struct stat about {};

    REQUIRE(::stat(folder.page().c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0600U);
}

TEST_CASE("the client nonce of a nonce outlives the process") {
    const Folder folder;
    const auto said = [] {
        return sip::authorization({.realm = "r", .nonce = "n", .qop = "auth", .nonce_count = 1},
                                  {.realm = {}, .user = "u", .password = "p"},
                                  {.method = "INFO", .uri = "sip:a@b"});
    };
    REQUIRE(sip::nonce_counts::open(folder.page()));
    const std::string first = said();
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(said() == first);
    std::filesystem::remove(folder.page());
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(said() != first);
}

TEST_CASE("when all slots are taken the nonce that was used least recently is forgotten") {
    const Folder folder;
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(next("alice", challenge("old")) == 1);
    CHECK(next("alice", challenge("older")) == 1);
    CHECK(next("alice", challenge("old")) == 2);
    for (int n = 0; n < 4095; ++n) {
        CHECK(next("alice", challenge(std::to_string(n))) == 1);
    }
    CHECK(next("alice", challenge("old")) == 3);
    CHECK(next("alice", challenge("older")) == 1);
}

TEST_CASE("whatever is in the file, counts are given") {
    const Folder folder;
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(next("alice", challenge("a")) == 1);
    const std::string good = read(folder.page());
    CHECK_FALSE(sip::nonce_counts::open({}));
    for (const std::string& content :
         {std::string{}, std::string{"x"}, good.substr(0, good.size() - 1), good + "x",
          std::string(good.size(), '\0'), std::string(good.size(), '\xFF')}) {
        write(folder.page(), content);
        REQUIRE(sip::nonce_counts::open(folder.page()));
        CHECK(next("alice", challenge("a")) == 1);
        CHECK(next("alice", challenge("a")) == 2);
    }
    // Ours by its head, and the rest is what no process of ours has written.
    write(folder.page(), good.substr(0, 16) + std::string(good.size() - 16, '\xFF'));
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(next("alice", challenge("a")) == 1);
    CHECK(next("alice", challenge("a")) == 2);
    CHECK(next("alice", challenge("b")) == 1);

    // Another name leads to it: what is written there is not ours to change.
    write(folder.page(), good);
    std::filesystem::create_hard_link(folder.page(), folder.page() + ".other");
    REQUIRE(sip::nonce_counts::open(folder.page()));
    CHECK(next("alice", challenge("a")) == 1);
    CHECK(read(folder.page() + ".other") == good);

    std::filesystem::remove(folder.page());
    std::filesystem::create_directory(folder.page());
    CHECK_FALSE(sip::nonce_counts::open(folder.page()));
    CHECK(next("alice", challenge("in memory")) == 1);
}
