#include "app/commands/key_words.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"

namespace revenant::app {

namespace {

// Up to the next colon, which is taken too; nothing is left if there is none.
std::string take(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::string part{rest.substr(0, end)};
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

base::Result<sip::Credentials> in_one_word(const std::string& word) {
    std::string_view rest = word;
    const std::string scheme = take(rest);
    // A password may have colons too.
    if (base::equals_ignoring_case(scheme, "Basic")) {
        return base::fail(base::Errc::bad_input,
                          "Basic would send the password itself, and is never answered");
    }
    if (!base::equals_ignoring_case(scheme, "Digest")) {
        return sip::Credentials{.realm = {}, .user = {}, .password = word};
    }
    sip::Credentials key;
    key.realm = take(rest);
    key.user = take(rest);
    key.password = rest;
    return key;
}

} // namespace

base::Result<sip::Credentials> read_key(const shell::Arguments& words) {
    base::Result<sip::Credentials> key =
        words.size() == 1 ? in_one_word(words.front())
        : words.size() == 2
            ? sip::Credentials{.realm = {}, .user = words[0], .password = words[1]}
            : sip::Credentials{.realm = words.at(0), .user = words.at(1), .password = words.at(2)};
    if (key && key->password.empty()) {
        return base::fail(base::Errc::bad_input, "there is no password in it");
    }
    return key;
}

} // namespace revenant::app
