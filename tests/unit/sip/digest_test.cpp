// Answers to challenges, against RFC 7616 §3.9.1, RFC 2617 §3.5 and a digest made elsewhere.
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "sip/sofia/digest.hpp"

using namespace revenant;

namespace {

const sip::Credentials mufasa{.realm = {}, .user = "Mufasa", .password = "Circle of Life"};
const sip::DigestRequest request{.method = "GET", .uri = "/dir/index.html", .body = "the body"};
const std::string cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

account::Challenge challenge(std::string_view algorithm, std::string_view qop) {
    return {.realm = "http-auth@example.org",
            .nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            .opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
            .algorithm = std::string{algorithm},
            .qop = std::string{qop},
            .nonce_count = 1};
}

std::string response_of(const std::string& value) {
    constexpr std::string_view name = "response=\"";
    const std::size_t at = value.find(name);
    REQUIRE(at != std::string::npos);
    const std::size_t begin = at + name.size();
    return value.substr(begin, value.find('"', begin) - begin);
}

std::string response(std::string_view algorithm, std::string_view qop) {
    return response_of(sip::authorization(challenge(algorithm, qop), mufasa, request, cnonce));
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the examples of RFC 7616 and RFC 2617 are answered as they say") {
    CHECK(response("MD5", "auth") == "8ca523f5e9506fed4657c9700eebdbec");
    CHECK(response("SHA-256", "auth") ==
          "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");

    const sip::Credentials older{.realm = {}, .user = "Mufasa", .password = "Circle Of Life"};
    account::Challenge said{.realm = "testrealm@host.com",
                            .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                            .qop = "auth",
                            .nonce_count = 1};
    CHECK(response_of(sip::authorization(said, older, request, "0a4f113b")) ==
          "6629fae49393a05397450978507c4ef1");
    said.qop.clear();
    CHECK(response_of(sip::authorization(said, older, request, "0a4f113b")) ==
          "670fd8c2df070c60b045671b8b24ff02");
}

TEST_CASE("each algorithm and each quality of protection has its digest") {
    CHECK(response("", "auth") == response("MD5", "auth"));
    CHECK(response("md5", "auth") == response("MD5", "auth"));
    CHECK(response("MD5", "auth-int") == "ac1b8f0d57548cdc9ee94ba471b17da9");
    CHECK(response("MD5", "") == "7b2cc3b30e75b4777ea31027084363fd");
    CHECK(response("MD5-sess", "auth") == "e783283f46242139c486a698fec7211d");
    CHECK(response("MD5-sess", "") == "37a7f42db2090a3fcac4e26e747d4fc8");
    CHECK(response("SHA-256", "auth-int") ==
          "ff0784d98a40418d1b535c35a085d1916ff98eee4400a4d7ded8546e437b2dcb");
    CHECK(response("SHA-256-sess", "auth-int") ==
          "04ffb4b810f7132df6e9f790cb08ed5682a4a2701697386e7b9f9cddb09692b9");
    CHECK(response("SHA-512-256", "auth") ==
          "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0");
    CHECK(response("SHA-512-256-sess", "auth") ==
          "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e");
}

TEST_CASE("an answer says what the challenge had, and nothing that it had not") {
    auto said = challenge("SHA-256", "auth");
    said.nonce_count = 0xABC;
    CHECK(sip::authorization(said, mufasa, request, "c") ==
          "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
          "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
          "response=\"8bfeac36b9c2a03bf201dfce9eb4861f513d811228616dd57d01c63878872831\", "
          "algorithm=SHA-256, cnonce=\"c\", "
          "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000abc");
    said = challenge("", "");
    said.opaque.clear();
    const std::string bare = sip::authorization(said, mufasa, request, "c");
    for (const char* name : {"algorithm", "opaque", "qop", "nc=", "cnonce"}) {
        CAPTURE(name);
        CHECK_FALSE(has(bare, name));
    }
    // Without it nobody could know the key of a session.
    CHECK(
        has(sip::authorization(challenge("MD5-sess", ""), mufasa, request, "c"), ", cnonce=\"c\""));
}

TEST_CASE("quotes and backslashes are given back with their escapes, and digested without") {
    const account::Challenge said{.realm = "my \"realm\\ x",
                                  .nonce = "n\"1",
                                  .opaque = "o\\p",
                                  .qop = "auth",
                                  .nonce_count = 0xABC};
    const std::string value =
        sip::authorization(said, {.realm = {}, .user = "al\"ice", .password = "s:e:cret"},
                           {.method = "INVITE", .uri = "sip:bob@example.org"}, "c");
    CHECK(has(value, "username=\"al\\\"ice\", realm=\"my \\\"realm\\\\ x\", nonce=\"n\\\"1\""));
    CHECK(has(value, "opaque=\"o\\\\p\""));
    CHECK(response_of(value) == "b257114750474ed70e39b893fd84d12e");
}

TEST_CASE("what cannot be answered gets no answer") {
    CHECK(sip::authorization(challenge("SHA-1", "auth"), mufasa, request).empty());
    CHECK(sip::authorization(challenge("-sess", "auth"), mufasa, request).empty());
    auto said = challenge("MD5", "auth");
    said.opaque = "a\r\nRoute: <sip:evil.example>";
    CHECK(sip::authorization(said, mufasa, request).empty());
    CHECK(sip::authorization(challenge("MD5", "auth"),
                             {.realm = {}, .user = "a\nb", .password = "x"}, request)
              .empty());
}

TEST_CASE("the client nonce stays with a nonce, and is another one with another") {
    const auto cnonce_of = [](const std::string& value) {
        const std::size_t at = value.find("cnonce=");
        return value.substr(at, value.find(',', at) - at);
    };
    auto said = challenge("SHA-256-sess", "auth");
    const std::string first = sip::authorization(said, mufasa, request);
    CHECK(cnonce_of(first).size() > 24);
    said.nonce_count = 2;
    CHECK(cnonce_of(sip::authorization(said, mufasa, request)) == cnonce_of(first));
    said.nonce = "another";
    CHECK(cnonce_of(sip::authorization(said, mufasa, request)) != cnonce_of(first));
}

TEST_CASE("SHA-512-256 is stronger than SHA-256, and that than MD5") {
    CHECK(sip::strength_of("sha-512-256") > sip::strength_of("SHA-256"));
    CHECK(sip::strength_of("SHA-256-sess") > sip::strength_of("MD5"));
    CHECK(sip::strength_of("MD5") > sip::strength_of("MD5-sess"));
    CHECK(sip::strength_of("") == sip::strength_of("MD5"));
    for (const char* unknown : {"SHA-1", "MD4", "-sess", "MD5 ", "AKAv1-MD5"}) {
        CAPTURE(unknown);
        CHECK_FALSE(sip::strength_of(unknown));
    }
}
