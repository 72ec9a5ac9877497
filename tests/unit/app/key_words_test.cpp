// What `key` is told, by hand and by scripts that were written for sofsip_cli.
#include <string>

#include <doctest/doctest.h>

#include "app/commands/key_words.hpp"

using namespace revenant;

namespace {

std::string read(const shell::Arguments& words) {
    const auto key = app::read_key(words);
    return key ? key->realm + "|" + key->user + "|" + key->password : "-";
}

} // namespace

TEST_CASE("a key is a password, with its user, and with its realm") {
    CHECK(read({"se:cret"}) == "||se:cret");
    CHECK(read({"alice", "se:cret"}) == "|alice|se:cret");
    CHECK(read({"example.org", "alice", "secret"}) == "example.org|alice|secret");
    CHECK(read({"", "alice", "secret"}) == "|alice|secret");
}

TEST_CASE("sofsip_cli's form is taken as well, with a password that has colons") {
    CHECK(read({"Digest:example.org:alice:se:cr:et"}) == "example.org|alice|se:cr:et");
    CHECK(read({"DIGEST::alice:secret"}) == "|alice|secret");
    CHECK(read({"Basic:example.org:alice:secret"}) == "-");
    CHECK(read({"Digest:example.org:alice"}) == "-");
    CHECK(read({""}) == "-");
    CHECK(read({"alice", ""}) == "-");
}
