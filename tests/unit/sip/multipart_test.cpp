// Bodies of several parts, of which one describes the session.
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "sip/sofia/multipart.hpp"

using revenant::sip::description_in;

namespace {

const std::string isup = "Content-Type: application/isup; version=itu-t92+\r\n"
                         "Content-Disposition: signal; handling=optional\r\n\r\n\x01\x02\r\n";

std::string sdp_part(std::string_view name = "-", std::string_view fields = "") {
    return "Content-Type: application/sdp\r\n" + std::string{fields} +
           "\r\nv=0\r\ns=" + std::string{name} + "\r\n\r\n";
}

std::string sdp(std::string_view name = "-") {
    return "v=0\r\ns=" + std::string{name} + "\r\n";
}

std::string with(const std::string& a, const std::string& b, std::string_view boundary = "b1") {
    const std::string line = "--" + std::string{boundary};
    return line + "\r\n" + a + line + "\r\n" + b + line + "--\r\n";
}

} // namespace

TEST_CASE("the description is found before and behind a part that may be ignored") {
    CHECK(description_in("mixed", "b1", with(isup, sdp_part()), true) == sdp());
    CHECK(description_in("mixed", "b1", with(sdp_part(), isup), true) == sdp());
    CHECK(description_in("mixed", "b1", "for old readers\r\n" + with(isup, sdp_part()) + "end",
                         true) == sdp());
}

TEST_CASE("of several the first counts, of alternatives the last") {
    const std::string two = with(sdp_part("a"), sdp_part("b"));
    CHECK(description_in("mixed", "b1", two, true) == sdp("a"));
    CHECK(description_in("alternative", "b1", two, true) == sdp("b"));
}

TEST_CASE("a part within a part is found, but not at any depth") {
    std::string body = with(sdp_part(), isup, "inner");
    body = with("Content-Type: multipart/related;boundary=\"inner\"\r\n\r\n" + body + "\r\n", isup);
    CHECK(description_in("mixed", "b1", body, true) == sdp());
    for (int i = 0; i < 10; ++i) {
        const std::string inner = i == 0 ? "b1" : "n" + std::to_string(i - 1);
        body = with("Content-Type: multipart/mixed;boundary=" + inner + "\r\n\r\n" + body + "\r\n",
                    isup, "n" + std::to_string(i));
        CHECK(description_in("mixed", "n" + std::to_string(i), body, true).has_value() == (i < 2));
    }
}

TEST_CASE("a part that must be understood and is not refuses a request, not an answer") {
    const std::string body =
        with("Content-Type: application/x\r\nContent-Disposition: signal;handling=required\r\n"
             "\r\nx\r\n",
             sdp_part());
    CHECK_FALSE(description_in("mixed", "b1", body, true));
    CHECK(description_in("mixed", "b1", body, false) == sdp());
}

TEST_CASE("a description that is encoded or meant for early media is not taken") {
    for (const char* fields :
         {"Content-Transfer-Encoding: base64\r\n", "Content-Disposition: early-session\r\n",
          "Content-Encoding: gzip\r\n"}) {
        CHECK_FALSE(description_in("mixed", "b1", with(isup, sdp_part("-", fields)), false));
    }
    for (const char* fields : {"Content-Transfer-Encoding: 8BIT\r\n",
                               "content-disposition: session ; handling=required\r\n"}) {
        CHECK(description_in("mixed", "b1", with(isup, sdp_part("-", fields)), true) == sdp());
    }
}

TEST_CASE("a body that is cut off anywhere is read or not, and nothing beyond it") {
    const std::string whole = with(isup, sdp_part());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const std::string cut = whole.substr(0, length);
        const auto found = description_in("mixed", "b1", cut, true);
        CHECK((!found || *found == sdp()));
    }
    for (const char* body :
         {"", "--", "--b1", "--b1--", "\n--b1\n--b1", "b1", "--b1\r\n\r\n--b1"}) {
        CHECK_FALSE(description_in("mixed", "b1", body, true));
    }
    CHECK_FALSE(description_in("mixed", "", whole, true));
}
