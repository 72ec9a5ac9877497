// Accounts and the command line.
#include <string>

#include <doctest/doctest.h>

#include "revenant/account/account.hpp"
#include "unit/fakes/configured.hpp"
#include "unit/fakes/environment.hpp"

using namespace revenant;
using account::Account;

namespace {

const std::string two = "[account work]\naor=sip:a@work\n[account home]\naor=sip:a@home\n";

} // namespace

TEST_CASE("a word that is a URI is who we are, and nothing else may stand there") {
    const Environment environment;
    CHECK(configured("", {"sip:alice@example.org", "--json"})->aor == "sip:alice@example.org");
    CHECK(configured("", {"--json", "\"Alice\" <SIP:a@b>"})->display_name == "Alice");
    CHECK(configured("[phone]\naor=sip:file@a", {"sip:a@b"})->aor == "sip:a@b");
    CHECK(refusal_of("", {"calls"}) ==
          "unexpected argument 'calls'; commands are given with -c, and quoted");
    CHECK(refusal_of("", {"sip:a@b", "sip:c@d"}).starts_with("unexpected argument 'sip:c@d'"));
    CHECK(refusal_of("", {"call", "sip:a@b"}).starts_with("unexpected argument 'call'"));
    CHECK(refusal_of("", {"sip:"}).starts_with("the argument takes a SIP URI"));
    CHECK(refusal_of("", {"sip:a@b", "sip:a:hunter2@b"}).find("hunter2") == std::string::npos);
}

TEST_CASE("without accounts in a file, --register makes one of the other options") {
    const Environment environment;
    const auto made = configured("", {"Alice <sip:alice@example.org>", "-R", "-p", "sip:proxy",
                                      "-r", "sip:registrar", "--auto-answer=486"})
                          ->accounts;
    REQUIRE(made.size() == 1);
    CHECK(made.front() == Account{.name = "phone",
                                  .aor = "sip:alice@example.org",
                                  .display_name = "Alice",
                                  .registrar = "sip:registrar",
                                  .outbound_proxy = "sip:proxy",
                                  .registers = true,
                                  .auto_answer = 486});
    CHECK(configured("", {"--aor=sip:a@b"})->accounts.empty());
    CHECK_FALSE(configured("", {"--aor=sip:a@b", "-r", "sip:c"})->accounts.at(0).registers);
    CHECK(configured("[phone]\naor=sip:a@b\nregister=true\n")->accounts.at(0).registers);
    CHECK(configured("[phone]\naor=sip:a@b\nregister=true\n", {"--no-register"})->accounts.empty());
    CHECK(refusal_of("", {"--register"}) ==
          "--register needs to know whom: --aor sip:alice@example.org");
    CHECK(refusal_of(two, {"-r", "sip:c"})
              .starts_with("--registrar is for a phone without [account NAME]"));
    CHECK(refusal_of(two, {"-R"}).starts_with("--register is for a phone without [account NAME]"));
    CHECK(refusal_of("", {"-r", "sip:a@b"})
              .starts_with("--registrar takes a SIP URI without a user"));
}

TEST_CASE("the account for calls is one that there is") {
    const Environment environment;
    CHECK(configured(two)->account.empty());
    CHECK(configured(two, {"--account", "home"})->account == "home");
    CHECK(configured("[phone]\naccount=home\n" + two)->account == "home");
    CHECK(configured("", {"--aor=sip:a@b", "-R", "--account=phone"})->account == "phone");
    CHECK(refusal_of(two, {"--account", "hmoe"}) ==
          "there is no account 'hmoe'; did you mean 'home'?");
    CHECK(refusal_of("", {"--account", "home"}) ==
          "there is no account 'home'; a group [account NAME] in the configuration file makes one");
    CHECK(refusal_of(two, {"--account", "a b"}).starts_with("--account takes the name of an acc"));
}

TEST_CASE("sofsip_cli's variables count where ours are not set, and where they fit") {
    const Environment environment;
    Environment::set("SOFSIP_ADDRESS", "sip:env@example.org");
    Environment::set("SOFSIP_PROXY", "sip:proxy");
    Environment::set("SOFSIP_REGISTRAR", "sip:registrar");
    const auto options = configured("").value();
    CHECK(options.aor == "sip:env@example.org");
    CHECK(options.outbound_proxy == "sip:proxy");
    CHECK(options.accounts.at(0).registrar == "sip:registrar");
    CHECK_FALSE(options.accounts.at(0).registers);
    CHECK(configured(two)->accounts.size() == 2); // and no complaint
    Environment::set("REVENANT_AOR", "sip:ours@example.org");
    CHECK(configured("")->aor == "sip:ours@example.org");
    CHECK(configured("", {"--aor=sip:a@b"})->aor == "sip:a@b");
    Environment::set("REVENANT_AOR", "");
    Environment::set("SOFSIP_ADDRESS", "");
    CHECK(configured("")->accounts.empty());
    Environment::set("SOFSIP_ADDRESS", "bob");
    CHECK(refusal_of("").starts_with("SOFSIP_ADDRESS takes a SIP URI"));
}
