// What is said when a request of ours has reached nobody.
#include <cerrno>
#include <string>

#include <doctest/doctest.h>

#include "sip/names/names.hpp"
#include "sip/sofia/failures.hpp"

using namespace revenant;
namespace failures = sip::failures;
using sip::Names;

TEST_CASE("a failure of the transport is told with its address") {
    const call::Endpoint at{.address = "192.0.2.7", .port = 5060};
    CHECK(sip::transport_failure(ECONNREFUSED, at) == "port closed at 192.0.2.7:5060");
    CHECK(sip::transport_failure(ENETUNREACH, at) == "no route to 192.0.2.7:5060");
    CHECK(sip::transport_failure(EHOSTUNREACH, {.address = "2001:db8::7", .port = 5060}) ==
          "no route to [2001:db8::7]:5060");
    CHECK(sip::transport_failure(EPIPE, at) == "connection closed by 192.0.2.7:5060");
    CHECK(sip::transport_failure(ECONNREFUSED, {}) == "port closed at the other end");
}

TEST_CASE("a failure of a name is told with the name, and writes nothing on the terminal") {
    CHECK(sip::name_failure(Names::Outcome::no_name, "bob") == "no such host 'bob'");
    CHECK(sip::name_failure(Names::Outcome::no_record, "bob") == "'bob' has no address");
    CHECK(sip::name_failure(Names::Outcome::unanswered, "bob") ==
          "no name server answers for 'bob'; see /etc/resolv.conf");
    CHECK(sip::name_failure(Names::Outcome::no_name, "b\033[2Jb") == "no such host 'b?[2Jb'");
}

TEST_CASE("an answer that the stack has made up is local, and says what is known of it") {
    CHECK(failures::is_local(nullptr));
    CHECK(failures::why(nullptr, 408, "Request Timeout") == "no answer");
    CHECK(failures::why(nullptr, 503, "DNS Error") == "503 DNS Error");
}
