// What is read from challenges, the hostile ones among them.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "sip/sofia/challenges.hpp"
#include "sip/sofia/nua.hpp"

using namespace revenant;

namespace {

std::vector<account::Challenged> read(std::string_view rows) {
    const std::string text =
        fmt::format("SIP/2.0 401 X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
                    "From: <sip:a@h>;tag=a\r\nTo: <sip:b@h>;tag=b\r\nCall-ID: id\r\n"
                    "CSeq: 1 INVITE\r\n{}Content-Length: 0\r\n\r\n",
                    rows);
    const std::unique_ptr<msg_t, sip::Calls<msg_destroy>> message{
        msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()))};
    REQUIRE(message);
    return sip::challenges_of(*sip_object(message.get()));
}

std::string www(std::string_view parameters, std::string_view scheme = "Digest") {
    return fmt::format("WWW-Authenticate: {} {}\r\n", scheme, parameters);
}

std::string proxy(std::string_view parameters) {
    return fmt::format("Proxy-Authenticate: Digest {}\r\n", parameters);
}

// Its realm is r.
std::string digest(std::string_view algorithm, std::string_view nonce) {
    return www(fmt::format(R"(realm="r", nonce="{}", algorithm={}, qop="auth")", nonce, algorithm));
}

std::string nonce_in(std::string_view rows) {
    const auto all = read(rows);
    return all.size() == 1 ? all.front().challenge.nonce : fmt::format("{} of them", all.size());
}

} // namespace

TEST_CASE("a challenge is read with all that its answer needs") {
    const auto all = read(www(R"(realm="a b, \"c\" \\d", nonce="x/+=", opaque="o", )"
                              R"(algorithm=SHA-256, stale=TRUE, qop="auth-int, auth")"));
    REQUIRE(all.size() == 1);
    CHECK(all.front() == account::Challenged{.challenge = {.realm = R"(a b, "c" \d)",
                                                           .nonce = "x/+=",
                                                           .opaque = "o",
                                                           .algorithm = "SHA-256",
                                                           .qop = "auth"},
                                             .is_stale = true});
    // RFC 2069, and words in quotes that should have none, or the reverse.
    CHECK(read(www(R"(Realm="r",nonce="n")")) ==
          std::vector<account::Challenged>{{.challenge = {.realm = "r", .nonce = "n"}}});
    CHECK(read(www(R"(realm=r, nonce=n, algorithm="MD5", stale="false", qop=auth)")) ==
          std::vector<account::Challenged>{
              {.challenge = {.realm = "r", .nonce = "n", .algorithm = "MD5", .qop = "auth"}}});
    CHECK(read(www(R"(realm="r", nonce="n", qop="auth-int")")).front().challenge.qop == "auth-int");
}

TEST_CASE("for each realm the strongest challenge that we know is taken") {
    CHECK(nonce_in(digest("MD5", "1") + digest("SHA-256", "2")) == "2");
    CHECK(nonce_in(digest("SHA-256", "1") + digest("MD5", "2")) == "1");
    CHECK(nonce_in(digest("SHA-512-256", "1") + digest("SHA-256", "2")) == "1");
    CHECK(nonce_in(digest("MD5", "1") + digest("MD5", "2")) == "1");
    CHECK(nonce_in(digest("AKAv1-MD5", "1") + www(R"(realm="r")", "Basic") + digest("MD5", "2") +
                   www("abc=", "Negotiate")) == "2");
    CHECK(nonce_in("WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=MD5, Basic "
                   "realm=\"r\", Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256\r\n") == "2");
}

TEST_CASE("a registrar's and a proxy's challenge are two, and so are those of two realms") {
    const auto all = read(proxy(R"(realm="p", nonce="1")") + www(R"(realm="r", nonce="2")") +
                          www(R"(realm="R", nonce="3")") + proxy(R"(realm="r", nonce="4")"));
    REQUIRE(all.size() == 4);
    CHECK(all[0].challenge.nonce == "2");
    CHECK(all[1].challenge.nonce == "3");
    CHECK_FALSE(all[1].challenge.is_proxys);
    CHECK(all[2].challenge.nonce == "1");
    CHECK(all[2].challenge.is_proxys);
    CHECK(all[3].challenge.nonce == "4");
}

TEST_CASE("a challenge that is broken, too long or not Digest is none") {
    const std::string many(1025, 'n');
    for (const std::string& row : {std::string{},
                                   www(R"(realm="r", nonce="n")", "Basic"),
                                   www(R"(realm="r")"),
                                   www(R"(nonce="n")"),
                                   www(R"(realm="r", nonce="")"),
                                   www(R"(realm="r", nonce="n", algorithm=)"),
                                   www(R"(realm="r", nonce="n", algorithm=SHA-1)"),
                                   www(R"(realm="r", nonce="n", qop="auth-conf")"),
                                   www(R"(realm="r", nonce="n", qop="")"),
                                   www(R"(realm="r", realm="s", nonce="n")"),
                                   www(R"(realm="r", nonce="n\")"),
                                   www(R"(realm="r", nonce=")"),
                                   www(R"(realm="r", nonce=a"b)"),
                                   www("realm=\"r\x01\", nonce=\"n\""),
                                   www("realm=\"r\", nonce=\"n\x7F\""),
                                   www("realm=\"r\", nonce=\"n\", opaque=\"\x1B[2J\""),
                                   www(","),
                                   www("="),
                                   www("=\"\""),
                                   www(fmt::format(R"(realm="r", nonce="{}")", many)),
                                   www(fmt::format(R"(realm="r", nonce="n", opaque="{}")", many)),
                                   www(fmt::format(R"(realm="{}", nonce="n")", many))}) {
        CAPTURE(row);
        CHECK(read(row).empty());
        CHECK(nonce_in(row + www(R"(realm="r", nonce="good")")) == "good");
    }
}

TEST_CASE("of thousands of challenges a few are looked at") {
    std::string rows;
    for (int n = 0; n < 1000; ++n) {
        rows += www(fmt::format(R"(realm="{}", nonce="n")", n));
    }
    CHECK(read(rows).size() == 16);
    rows = R"(WWW-Authenticate: Digest realm="r", nonce="1")";
    for (int n = 0; n < 1000; ++n) {
        rows += ", Digest x=y";
    }
    CHECK(nonce_in(rows + "\r\n" + digest("SHA-256", "2")) == "1");
}
