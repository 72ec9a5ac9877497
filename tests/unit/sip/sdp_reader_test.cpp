// The SDP of strangers: what is read from it, and that nothing in it does harm.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "revenant/call/sdp.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/sdp_reader.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant;
using call::Direction;
using sip::read_sdp;

namespace {

std::string session(std::string_view media, std::string_view connection = "IN IP4 198.51.100.7") {
    return "v=0\r\no=bob 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=" + std::string{connection} +
           "\r\nt=0 0\r\n" + std::string{media};
}

call::RemoteStream first_stream(const std::string& text) {
    const auto read = read_sdp(text);
    REQUIRE(read);
    REQUIRE(read->streams.size() >= 1);
    return read->streams.front();
}

Direction direction_in(std::string_view attribute) {
    return first_stream(session("m=audio 4000 RTP/AVP 0\r\n" + std::string{attribute})).direction;
}

} // namespace

TEST_CASE("a plain description is read as it is meant") {
    const std::string text =
        session("m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
                "a=ptime:30\r\n");
    const auto read = read_sdp(text);
    REQUIRE(read);
    CHECK(read->text == text);
    const call::RemoteStream& stream = read->streams.front();
    CHECK(stream.media == "audio");
    CHECK(stream.profile == "RTP/AVP");
    CHECK(stream.formats == "8 0 101");
    CHECK(stream.rtp == call::Endpoint{.address = "198.51.100.7", .port = 4000});
    CHECK(stream.rtcp == call::Endpoint{.address = "198.51.100.7", .port = 4001});
    CHECK(stream.ptime_ms == 30);
    REQUIRE(stream.codecs.size() == 3);
    CHECK(stream.codecs[0] ==
          call::Codec{.payload_type = 8, .name = "PCMA", .clock_rate = 8000}); // static, no rtpmap
    CHECK(stream.codecs[1].name == "PCMU");
    CHECK(stream.codecs[2].name == "telephone-event");
}

TEST_CASE("a dynamic number for PCMU is read and answered") {
    const auto read = read_sdp(session("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000\r\n"));
    REQUIRE(read);
    const auto answer = call::answer_offer(*read, call::new_call().dialog.media, call::our_codecs(),
                                           Direction::sendrecv, 1, {});
    REQUIRE(answer);
    CHECK(answer->media.codec.payload_type == 96);
}

TEST_CASE("directions, also by the address 0.0.0.0") {
    CHECK(direction_in("") == Direction::sendrecv);
    CHECK(direction_in("a=sendonly\r\n") == Direction::sendonly);
    CHECK(direction_in("a=recvonly\r\n") == Direction::recvonly);
    CHECK(direction_in("a=inactive\r\n") == Direction::inactive);
    const auto old_hold =
        first_stream(session("m=audio 4000 RTP/AVP 0\r\n", "IN IP4 0.0.0.0")).direction;
    CHECK_FALSE(call::receives(old_hold));
    CHECK(call::sends(old_hold));
    CHECK_FALSE(call::receives(
        first_stream(session("m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::\r\n")).direction));
}

TEST_CASE("a=sendonly of the session holds for a stream that says nothing") {
    const std::string text = "v=0\r\no=bob 1 1 IN IP4 198.51.100.7\r\ns=-\r\n"
                             "c=IN IP4 198.51.100.7\r\nt=0 0\r\na=sendonly\r\n"
                             "m=audio 4000 RTP/AVP 0\r\n";
    CHECK(first_stream(text).direction == Direction::sendonly);
}

TEST_CASE("the media's own address comes before the session's, and a=rtcp moves RTCP") {
    const auto stream = first_stream(session("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 203.0.113.1\r\n"
                                             "a=rtcp:5555 IN IP4 203.0.113.2\r\n"));
    CHECK(stream.rtp.address == "203.0.113.1");
    CHECK(stream.rtcp == call::Endpoint{.address = "203.0.113.1", .port = 5555});
}

TEST_CASE("names in place of addresses, and port 0, disable a stream") {
    CHECK(first_stream(session("m=audio 4000 RTP/AVP 0\r\n", "IN IP4 evil.example.org")).rtp.port ==
          0);
    CHECK(first_stream(session("m=audio 0 RTP/AVP 0\r\n")).rtp.port == 0);
}

TEST_CASE("the last port has no next one for RTCP") {
    const auto stream = first_stream(session("m=audio 65535 RTP/AVP 0\r\n"));
    CHECK(stream.rtp.port == 65535);
    CHECK(stream.rtcp.port == 0);
}

TEST_CASE("video is read so that it can be rejected in its place") {
    const auto read = read_sdp(session("m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n"
                                       "m=image 5002 udptl t38\r\n"));
    REQUIRE(read);
    REQUIRE(read->streams.size() == 3);
    const auto answer = call::answer_offer(*read, call::new_call().dialog.media, call::our_codecs(),
                                           Direction::sendrecv, 1, {});
    REQUIRE(answer);
    CHECK(answer->local_sdp.find("m=video 0 RTP/AVP 31\r\n") != std::string::npos);
    CHECK(answer->local_sdp.find("m=image 0 udptl t38\r\n") != std::string::npos);
    const auto again = read_sdp(answer->local_sdp);
    REQUIRE(again);
    CHECK(again->streams.size() == 3);
}

TEST_CASE("a ptime that makes no sense is none") {
    for (const char* ptime : {"0", "-20", "x", "", "20.5"}) {
        CAPTURE(ptime);
        const auto stream = first_stream(session(
            "m=audio 4000 RTP/AVP 0\r\na=ptime:" + std::string{ptime} + "\r\na=maxptime:10\r\n"));
        CHECK(stream.ptime_ms == 0);
        CHECK(stream.maxptime_ms == 10);
    }
}

// The parser refuses all of these.
TEST_CASE("a description is not refused for a line that nobody needs") {
    for (const char* line : {"a=rtpmap:0 PCMU\r\n", "a=\r\n", "a=:x\r\n", "a=rtpmap:0 PCMU/x\r\n",
                             "a=(\r\n", "a=rtpmap:0\r\n", "b=\r\n", "b=AS\r\n", "k=\r\n", "y\r\n",
                             "m=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n",
                             "m=audio 4002 RTP/AVP 98\r\na=rtpmap:98 \r\na=\r\n"}) {
        CAPTURE(line);
        const auto read = read_sdp(session("m=audio 4000 RTP/AVP 0 8\r\n" + std::string{line}));
        REQUIRE(read);
        REQUIRE(read->streams.front().codecs.size() == 2);
        CHECK(read->streams.front().codecs.front() == call::Codec{0, "PCMU", 8000});
    }
    for (const char* line : {"a=\r\n", "b=\r\n", "r=7d\r\n", "z=x\r\n", "t=x\r\n", "k=\r\n"}) {
        CAPTURE(line);
        CHECK(first_stream(session(std::string{line} + "m=audio 4000 RTP/AVP 0\r\n")).rtp.port ==
              4000);
    }
}

TEST_CASE("a stream in another kind of network is read as one that is off") {
    CHECK(first_stream(session("m=audio 4000 RTP/AVP 0\r\n", "ATM NSAP 47.0091")).rtp.port == 0);
}

// The stack sends our description as its printer writes it.
TEST_CASE("our answers go through the stack's parser and printer unchanged") {
    const std::string offer = session("m=audio 0 RTP/AVP 0\r\n"
                                      "m=video 5000 RTP/AVP 31 96\r\na=rtpmap:96 VP8/90000\r\n"
                                      "m=image 5002 UDPTL t38\r\n"
                                      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                                      "m=message 5004 tcp/msrp *\r\n"
                                      "m=audio 4000 RTP/SAVPF 0 8\r\n"
                                      "m=audio 4002 RTP/AVP 8 96 0\r\na=rtpmap:96 pcmu/8000\r\n"
                                      "a=ptime:30\r\na=sendonly\r\n"
                                      "m=audio 4004/2 RTP/AVP 8\r\n");
    const auto read = read_sdp(offer);
    REQUIRE(read);
    const auto answer = call::answer_offer(*read, call::new_call().dialog.media, call::our_codecs(),
                                           Direction::sendrecv, 1, {});
    REQUIRE(answer);
    CHECK(answer->local_sdp.find("m=audio 20004 RTP/AVP 8 96\r\n") != std::string::npos);
    const sip::Home home = sip::make_home();
    sdp_parser_t* parser =
        sdp_parse(home.get(), answer->local_sdp.c_str(), -1, sdp_f_config | sdp_f_anynet);
    REQUIRE(sdp_session(parser) != nullptr);
    sdp_printer_t* printer = sdp_print(home.get(), sdp_session(parser), nullptr, 0, 0);
    REQUIRE(sdp_message(printer) != nullptr);
    CHECK(answer->local_sdp == sdp_message(printer));
    sdp_printer_free(printer);
    sdp_parser_free(parser);
}

TEST_CASE("what is no description is an error, not a crash") {
    const std::string with_nul = std::string{"v=0\r\no=b 1 1 IN IP4 1.1.1.1"} + '\0' + "\r\n";
    for (const std::string& bad :
         {std::string{}, std::string{"x"}, std::string{"v=1\r\n"}, std::string{"\r\n\r\n"},
          std::string{"INVITE sip:a SIP/2.0\r\n"}, std::string{"v=0\r\nm=audio\r\n"}, with_nul,
          std::string(70'000, 'a'), std::string{"v=0\r\no=\r\ns=\r\nt=\r\nm=\r\n"}}) {
        const auto read = read_sdp(bad);
        CHECK_FALSE(read);
        if (!read) {
            CHECK(read.error().code == base::Errc::bad_input);
            CHECK_FALSE(read.error().context.empty());
        }
    }
}

TEST_CASE("very many streams are refused, very many codecs are read up to a bound") {
    std::string media;
    for (int i = 0; i < 500; ++i) {
        media += "m=audio 4000 RTP/AVP 0 8 3 4 5 6 7 9 10 11\r\n";
    }
    CHECK_FALSE(read_sdp(session(media)));
    std::string formats;
    for (int i = 0; i < 128; ++i) {
        formats += " " + std::to_string(i % 128);
    }
    CHECK(first_stream(session("m=audio 4000 RTP/AVP" + formats + "\r\n")).codecs.size() <= 64);
}

TEST_CASE("every prefix of a description is read or refused") {
    const std::string whole = session("m=audio 4000 RTP/AVP 8 0 101\r\n"
                                      "a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n");
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        const auto read = read_sdp(std::string_view{whole}.substr(0, length));
        if (read) {
            CHECK(read->text.size() == length);
        }
    }
}

TEST_CASE("what we write, we read") {
    for (const Direction d :
         {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
        const std::string ours = call::write_offer(77, {.address = "192.0.2.1", .port = 20000},
                                                   call::our_codecs(), 20, d);
        const auto stream = first_stream(ours);
        CHECK(stream.direction == d);
        CHECK(stream.codecs == call::our_codecs());
        CHECK(stream.rtp == call::Endpoint{.address = "192.0.2.1", .port = 20000});
    }
}

// Without sdp_guard.cpp the library's parser allocates for ever here.
TEST_CASE("a format that is no token is refused at once") {
    for (const char* format : {"\xFF", "/", "\"x\"", "(", "0 ="}) {
        CHECK_FALSE(read_sdp(session("m=audio 4000 udp " + std::string{format} + "\r\n")));
    }
    for (const char* blanks : {"\t\t", " \t", "\t \t", "  \t "}) {
        CHECK_FALSE(read_sdp(session("m=audio 4000 udp" + std::string{blanks} + "\r\n")));
    }
    for (const char* fields : {"udp", "udp  ", "udp\t0", "udp 0\t", "RTP/AVP\t \t0 \t"}) {
        CHECK(read_sdp(session("m=audio 4000 " + std::string{fields} + "\r\n")));
    }
}
