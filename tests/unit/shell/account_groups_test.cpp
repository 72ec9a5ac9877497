// The groups [account NAME] of the configuration file.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/account/account.hpp"
#include "revenant/shell/documents.hpp"
#include "shell/account_groups.hpp"
#include "shell/account_table.hpp"
#include "unit/fakes/configured.hpp"
#include "unit/fakes/environment.hpp"

using namespace revenant;
using account::Account;
using account::PasswordSource;

namespace {

const std::string work = "[account work]\naor = sip:alice@example.org\n";

Account first(const std::string& text) {
    const auto options = configured(text);
    REQUIRE_MESSAGE(options.has_value(), options.error().context);
    REQUIRE_FALSE(options->accounts.empty());
    return options->accounts.front();
}

// What is wrong with one more line, the third.
std::string line(const std::string& text) {
    return refusal_of(work + text + "\n");
}

} // namespace

TEST_CASE("an account needs to say who it is, and nothing else") {
    const Environment environment;
    CHECK(first(work) == Account{.name = "work", .aor = "sip:alice@example.org"});
    CHECK(first("[account  work ]\naor=<sip:alice@example.org>\n").name == "work");
    CHECK(configured("[phone]\nbell = no\n")->accounts.empty());
}

TEST_CASE("every key of an account finds its place") {
    const Environment environment;
    const Account all = first("[account work]\n"
                              "aor = \"Alice\" <sip:alice@example.org>\n"
                              "registrar = sip:registrar.example.org:5070;transport=tcp\n"
                              "outbound-proxy = sip:[2001:db8::1]:5060;lr\n"
                              "transport = tls\n"
                              "user = alice of work\n"
                              "password-file = ~/secret\n"
                              "display-name = \"Zo\xC3\xAB\"\n"
                              "register = no\n"
                              "expires = 60\n"
                              "codecs = PCMA,PCMU\n"
                              "auto-answer = 180\n"
                              "instance-id = urn:uuid:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6\n"
                              "srtp = no\n");
    CHECK(all ==
          Account{.name = "work",
                  .aor = "sip:alice@example.org",
                  .display_name = "Zo\xC3\xAB",
                  .registrar = "sip:registrar.example.org:5070;transport=tcp",
                  .outbound_proxy = "sip:[2001:db8::1]:5060;lr",
                  .transport = call::Transport::tls,
                  .user = "alice of work",
                  .password = {.kind = PasswordSource::Kind::file, .where = "/home/alice/secret"},
                  .registers = false,
                  .expires_s = 60,
                  .codecs = {"PCMA", "PCMU"},
                  .auto_answer = 180,
                  .instance_id = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"});
    const auto source = [](const std::string& text) { return first(work + text).password; };
    CHECK(
        source("password-command = pass show sip | head -1\n") ==
        PasswordSource{.kind = PasswordSource::Kind::command, .where = "pass show sip | head -1"});
    CHECK(source("password-env = SIP_PASSWORD\n") ==
          PasswordSource{.kind = PasswordSource::Kind::environment, .where = "SIP_PASSWORD"});
    CHECK(first(work + "auto-answer = true\n").auto_answer == 200);
    CHECK(first("[account a]\naor = Alice <sip:a@b>\ndisplay-name =\n").display_name.empty());
    CHECK(first("[account a]\ndisplay-name = Bob\naor = Alice <sip:a@b>\n").display_name == "Bob");
}

TEST_CASE("accounts come in the order of the file, and groups of options may stand between") {
    const Environment environment;
    const auto options = configured("[account b]\naor=sip:b@b\n[phone]\nauto-answer=486\n"
                                    "[account a]\naor=sip:a@a\nauto-answer=no\n")
                             .value();
    REQUIRE(options.accounts.size() == 2);
    CHECK(options.accounts[0].name == "b");
    CHECK(options.accounts[0].auto_answer == 486); // the phone's
    CHECK(options.accounts[1].name == "a");
    CHECK_FALSE(options.accounts[1].auto_answer.has_value());
    CHECK(options.aor.empty());
}

TEST_CASE("a group that is no account's is an error with its line") {
    const Environment environment;
    CHECK(refusal_of("[acount work]\n") ==
          "revenant.conf:1: there is no group [acount work]; did you mean [account NAME]?");
    CHECK(refusal_of("[accounts]\n") ==
          "revenant.conf:1: there is no group [accounts]; did you mean [account NAME]?");
    CHECK(refusal_of("[calls]\n") ==
          "revenant.conf:1: there is no group [calls]; there are [phone] and [account NAME]");
    CHECK(refusal_of("[account]\n") == "revenant.conf:1: an account has a name: [account NAME]");
    CHECK(refusal_of("[account a/b]\naor=sip:a@b\n") ==
          "revenant.conf:1: 'a/b' is no name for an account: 1 to 64 letters, digits, '.', '_' "
          "and '-', a letter or a digit first");
    CHECK(refusal_of(work + "[account  work]\naor=sip:a@b\n") ==
          "revenant.conf:3: there is an account 'work' already");
    CHECK(refusal_of("\n[account work]\nregister = no\n") ==
          "revenant.conf:2: [account work] does not say who it is: aor = sip:alice@example.org");
}

TEST_CASE("a key or a value that is wrong is an error with its line") {
    const Environment environment;
    CHECK(line("registrer = sip:x") == "revenant.conf:3: there is no key 'registrer' in [account "
                                       "work]; did you mean 'registrar' or 'register'?");
    CHECK(line("colour = blue") == "revenant.conf:3: there is no key 'colour' in [account work]; "
                                   "revenant.conf(5) lists the keys");
    CHECK(line("registrar = sip:alice@example.org") ==
          "revenant.conf:3: registrar takes a SIP URI without a user, like "
          "sip:registrar.example.org, not 'sip:alice@example.org'");
    CHECK(line("transport = sctp") ==
          "revenant.conf:3: transport takes udp, tcp or tls, not 'sctp'");
    CHECK(line("expires = 59") ==
          "revenant.conf:3: expires takes a number from 60 to 86400, not '59'");
    CHECK(line("register = maybe") == "revenant.conf:3: register takes true or false, not 'maybe'");
    CHECK(line("auto-answer = 99") == "revenant.conf:3: auto-answer takes true, false or a status "
                                      "from 180 to 699, not '99'");
    CHECK(line("instance-id = urn:uuid:1") == "revenant.conf:3: instance-id takes urn:uuid: and a "
                                              "UUID, as uuidgen prints it, not 'urn:uuid:1'");
    CHECK(line("srtp = yes") ==
          "revenant.conf:3: srtp = no is all that this version can do: it has no SRTP");
    CHECK(line("codecs = ,").starts_with("revenant.conf:3: codecs takes codec names"));
    CHECK(line("user = a\"b").starts_with("revenant.conf:3: user takes a name without quotes"));
    CHECK(line("display-name = a\"b").starts_with("revenant.conf:3: display-name takes a name"));
    CHECK(line("expires =").starts_with("revenant.conf:3: expires takes a number"));
    for (const char* uri : {"", "alice", "sip:", "sip:@b", "sip:a@", "sip:a@b@c", "sip:a@b:0",
                            "sip:a@b:65536", "sip:a@b:x", "sip:a@[::1", "sip:a@-b", "sip:a@b?x=y",
                            "sip:b", "tel:1", "sip:a b@c", "sips:a@b"}) {
        CAPTURE(uri);
        CHECK(refusal_of("[account a]\naor = " + std::string{uri})
                  .starts_with("revenant.conf:2: aor takes "));
    }
    CHECK(line("outbound-proxy = proxy").starts_with("revenant.conf:3: outbound-proxy takes "));
}

TEST_CASE("an account has one password at most, and no error repeats what may be one") {
    const Environment environment;
    const std::string two = "; there is one of password-file, password-command and password-env";
    CHECK(line("password-file = /a\npassword-env = A") ==
          "revenant.conf:4: password-env is one source of the password too many" + two);
    CHECK(line("password = hunter2") ==
          "revenant.conf:3: there is no key 'password' in [account work]; did you mean "
          "'password-file', 'password-command' or 'password-env'?");
    for (const char* text :
         {"password-env = hunter2!", "password-file = hunter2", "password-command = hunter2\\n",
          "password-env =", "password-command =", "password-file = ~/", "password-env = 1hunter2",
          "outbound-proxy = sip:alice:hunter2@b", "registrar = sip:alice:hunter2@b"}) {
        CAPTURE(text);
        CHECK(line(text).starts_with("revenant.conf:3: "));
        CHECK(line(text).find("hunter2") == std::string::npos);
    }
    for (const char* aor : {"sip:alice:hunter2@b", "Alice <sip:alice:hunter2@b>",
                            "sips:alice:hunter2@b", "alice:hunter2@b", "SIP:alice:hunter2@@b"}) {
        CAPTURE(aor);
        for (const char* group :
             {"[account a]\naor = ", "[phone]\naor = x<", "[phone]\naor ", "aor = "}) {
            const std::string text = refusal_of(group + std::string{aor});
            CHECK(text.starts_with("revenant.conf:"));
            CHECK(text.find("hunter2") == std::string::npos);
        }
    }
}

TEST_CASE("a thousand accounts can be kept, and not one more") {
    const Environment environment;
    std::string text;
    for (std::size_t i = 0; i < shell::accounts_max; ++i) {
        text += "[account a" + std::to_string(i) + "]\naor = sip:a" + std::to_string(i) +
                "@example.org\nregistrar = sip:registrar.example.org\n"
                "outbound-proxy = sip:proxy.example.org\nuser = a\npassword-file = ~/.secret\n";
    }
    CHECK(configured(text)->accounts.size() == shell::accounts_max);
    CHECK(refusal_of(text + "[account b]\naor=sip:a@b\n") ==
          "revenant.conf:6001: there are more than 1000 accounts");
}

TEST_CASE("the manual has an entry for every key of an account") {
    const std::string page = shell::config_man_page();
    const std::size_t at = page.find("[account");
    REQUIRE(at != std::string::npos);
    for (const shell::AccountRow& row : shell::account_table()) {
        std::string key{row.key};
        for (std::size_t dash = 0; (dash = key.find('-', dash)) != std::string::npos; dash += 2) {
            key.insert(dash, 1, '\\');
        }
        CAPTURE(key);
        CHECK_FALSE(row.help.empty());
        CHECK_FALSE(row.argument.empty());
        CHECK(page.find(".TP\n\\fB" + key + "\\fR = ", page.find(".SH ACCOUNTS")) !=
              std::string::npos);
    }
}
