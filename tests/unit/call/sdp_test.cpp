// Offers and answers (RFC 3264) as text, byte for byte.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/call/sdp.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

constexpr std::uint64_t id = 4811;

Media our_media() {
    return new_call().dialog.media;
}

std::string our_offer() {
    return write_offer(id, our_media().local, our_codecs(), 20, Direction::sendrecv);
}

std::string answered(const RemoteSession& offer,
                     std::string_view previous = {},
                     Direction wanted = Direction::sendrecv) {
    const auto answer = answer_offer(offer, our_media(), our_codecs(), wanted, id, previous);
    REQUIRE(answer);
    return answer->local_sdp;
}

RemoteStream video() {
    RemoteStream stream = peer_session().streams.front();
    stream.media = "video";
    stream.formats = "96 97";
    stream.codecs = {{.payload_type = 96, .name = "VP8", .clock_rate = 90000}};
    return stream;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("an offer names our codecs in our order") {
    CHECK(our_offer() == "v=0\r\no=- 4811 2 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\n"
                         "t=0 0\r\nm=audio 20004 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n"
                         "a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n");
}

TEST_CASE("an offer over IPv6 says IP6") {
    const std::string offer = write_offer(id, {.address = "2001:db8::10", .port = 6000},
                                          our_codecs(), 30, Direction::inactive);
    CHECK(contains(offer, "o=- 4811 2 IN IP6 2001:db8::10\r\n"));
    CHECK(contains(offer, "c=IN IP6 2001:db8::10\r\n"));
    CHECK(contains(offer, "a=inactive\r\na=ptime:30\r\n"));
}

TEST_CASE("an answer has the common codecs in the offerer's order") {
    const auto mu_first = peer_session(Direction::sendrecv, 1, {our_codecs()[1], our_codecs()[0]});
    const auto answer =
        answer_offer(mu_first, our_media(), our_codecs(), Direction::sendrecv, id, {});
    REQUIRE(answer);
    CHECK(contains(answer->local_sdp, "m=audio 20004 RTP/AVP 0 8\r\n"));
    CHECK(answer->media.codec.name == "PCMU");
    CHECK(answer->media.remote == Endpoint{.address = "198.51.100.7", .port = 40000});
    CHECK(answer->media.remote_rtcp.port == 40001);
    CHECK(answer->media.local == our_media().local);
    CHECK(answer->media.ssrc == our_media().ssrc);
}

TEST_CASE("codecs that are not ours are left out of the answer") {
    const auto offer = peer_session(Direction::sendrecv, 1,
                                    {{.payload_type = 18, .name = "G729", .clock_rate = 8000},
                                     {.payload_type = 0, .name = "pcmu", .clock_rate = 8000},
                                     {.payload_type = 8, .name = "PCMA", .clock_rate = 16000}});
    CHECK(contains(answered(offer), "m=audio 20004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"));
}

TEST_CASE("a dynamic payload type for PCMU is the peer's number in the answer") {
    const auto offer = peer_session(Direction::sendrecv, 1,
                                    {{.payload_type = 97, .name = "PCMU", .clock_rate = 8000}});
    const auto answer = answer_offer(offer, our_media(), our_codecs(), Direction::sendrecv, id, {});
    REQUIRE(answer);
    CHECK(contains(answer->local_sdp, "m=audio 20004 RTP/AVP 97\r\na=rtpmap:97 PCMU/8000\r\n"));
    CHECK(answer->media.codec.payload_type == 97);
}

TEST_CASE("every stream is answered in its place: video with port 0, a second audio too") {
    RemoteSession offer = peer_session();
    offer.streams.insert(offer.streams.begin(), video());
    offer.streams.push_back(peer_session().streams.front());
    const std::string answer = answered(offer);
    const std::size_t first = answer.find("m=video 0 RTP/AVP 96 97\r\n");
    const std::size_t second = answer.find("m=audio 20004 RTP/AVP 8 0\r\n");
    const std::size_t third = answer.find("m=audio 0 RTP/AVP 8 0\r\n");
    CHECK(first != std::string::npos);
    CHECK(second != std::string::npos);
    CHECK(third != std::string::npos);
    CHECK(first < second);
    CHECK(second < third);
}

TEST_CASE("no audio that we have is refused") {
    RemoteSession secure = peer_session();
    secure.streams.front().profile = "RTP/SAVP";
    RemoteSession disabled = peer_session();
    disabled.streams.front().rtp.port = 0;
    RemoteSession only_video = peer_session();
    only_video.streams = {video()};
    for (const RemoteSession& offer :
         {foreign_session(), secure, disabled, only_video, RemoteSession{}}) {
        const auto answer =
            answer_offer(offer, our_media(), our_codecs(), Direction::sendrecv, id, {});
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code == base::Errc::unsupported);
    }
}

TEST_CASE("a stream that is off before a live one is answered line by line") {
    RemoteSession offer = peer_session();
    offer.streams.insert(offer.streams.begin(), offer.streams.front());
    offer.streams.front().rtp.port = 0;
    offer.streams.front().formats = "0";
    const std::string answer = answered(offer);
    CHECK(contains(answer, "m=audio 0 RTP/AVP 0\r\nm=audio 20004 RTP/AVP "));
    // As an answer of the peer's, to an offer of ours of that form.
    const auto media = apply_answer(offer, our_media(), our_codecs(), answer);
    REQUIRE(media);
    CHECK(media->remote == offer.streams.back().rtp);
}

TEST_CASE("an answer is read at the place of our stream, and elsewhere if nothing is there") {
    const std::string offer = "v=0\r\nm=video 0 RTP/AVP 31\r\nm=audio 20004 RTP/AVP 0\r\n"
                              "a=rtpmap:0 PCMU/8000\r\na=sendonly\r\n";
    RemoteSession answer = peer_session(Direction::recvonly);
    answer.streams.push_back(answer.streams.front());
    answer.streams.back().rtp.port = 7000;
    const auto second = apply_answer(answer, our_media(), our_codecs(), offer);
    REQUIRE(second);
    CHECK(second->remote.port == 7000);
    CHECK(second->direction == Direction::sendonly);
    answer.streams.pop_back();
    const auto first = apply_answer(answer, our_media(), our_codecs(), offer);
    REQUIRE(first);
    CHECK(first->remote == answer.streams.front().rtp);
}

TEST_CASE("one codec under two numbers appears once, and is taken under both") {
    const auto offer = peer_session(Direction::sendrecv, 1,
                                    {{.payload_type = 8, .name = "PCMA"},
                                     {.payload_type = 121, .name = "pcma"},
                                     {.payload_type = 97, .name = "opus", .clock_rate = 48000}});
    const auto answer = answer_offer(offer, our_media(), our_codecs(), Direction::sendrecv, id, {});
    REQUIRE(answer);
    CHECK(contains(answer->local_sdp, "m=audio 20004 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"));
    const std::vector<Codec> both = {{.payload_type = 8, .name = "PCMA"},
                                     {.payload_type = 121, .name = "PCMA"}};
    CHECK(answer->media.receive == both);
}

TEST_CASE("after an answer we take what we have offered, and the numbers of the peer's own") {
    const auto answer = peer_session(
        Direction::sendrecv, 1,
        {{.payload_type = 101, .name = "PCMU"}, {.payload_type = 0, .name = "PCMA"}}, 5000);
    const auto media = apply_answer(answer, our_media(), our_codecs(), our_offer());
    REQUIRE(media);
    CHECK(media->codec == Codec{.payload_type = 101, .name = "PCMU"}); // its number, not ours
    // 0 is PCMU in our description, whatever the peer calls so.
    const std::vector<Codec> all = {{.payload_type = 8, .name = "PCMA"},
                                    {.payload_type = 0, .name = "PCMU"},
                                    {.payload_type = 101, .name = "PCMU"}};
    CHECK(media->receive == all);
}

TEST_CASE("packets are as long as the peer wants, and never longer than it allows") {
    struct Row {
        std::uint32_t ptime;
        std::uint32_t maxptime;
        std::uint32_t ours; // 0: refused
    };

    for (const Row& row :
         {Row{0, 0, 20}, Row{30, 0, 30}, Row{10, 10, 10}, Row{20, 10, 10}, Row{0, 15, 10},
          Row{40, 20, 20}, Row{200, 0, 60}, Row{25, 0, 20}, Row{5, 0, 10}, Row{0, 40, 20},
          Row{20, 5, 0}, Row{4'000'000'000, 0, 60}}) {
        CAPTURE(row.ptime);
        CAPTURE(row.maxptime);
        RemoteSession peer = peer_session();
        peer.streams.front().ptime_ms = row.ptime;
        peer.streams.front().maxptime_ms = row.maxptime;
        const auto answer =
            answer_offer(peer, our_media(), our_codecs(), Direction::sendrecv, id, {});
        const auto applied = apply_answer(peer, our_media(), our_codecs(), our_offer());
        REQUIRE(answer.has_value() == (row.ours != 0));
        REQUIRE(applied.has_value() == (row.ours != 0));
        if (row.ours != 0) {
            CHECK(answer->media.ptime_ms == row.ours);
            CHECK(contains(answer->local_sdp, fmt::format("a=ptime:{}\r\n", row.ours)));
            CHECK(applied->ptime_ms == row.ours);
        }
    }
}

TEST_CASE("what the peer wanted once does not hold for its next description") {
    RemoteSession peer = peer_session();
    peer.streams.front().maxptime_ms = 10;
    const auto first = answer_offer(peer, our_media(), our_codecs(), Direction::sendrecv, id, {});
    REQUIRE(first);
    const auto next = answer_offer(peer_session(), first->media, our_codecs(), Direction::sendrecv,
                                   id, first->local_sdp);
    REQUIRE(next);
    CHECK(next->media.ptime_ms == 20);
}

TEST_CASE("audio at an address of the other family is refused, with the reason") {
    RemoteSession offer = peer_session();
    offer.streams.front().rtp.address = "2001:db8::7";
    const auto answer = answer_offer(offer, our_media(), our_codecs(), Direction::sendrecv, id, {});
    REQUIRE_FALSE(answer);
    CHECK(contains(answer.error().context, "IPv6"));
    CHECK_FALSE(apply_answer(offer, our_media(), our_codecs(), our_offer()));
    // A second stream that can be reached is taken.
    offer.streams.push_back(peer_session().streams.front());
    CHECK(contains(answered(offer), "m=audio 0 "));
    Media over_ipv6 = our_media();
    over_ipv6.local.address = "2001:db8::10";
    offer.streams.pop_back();
    CHECK(answer_offer(offer, over_ipv6, our_codecs(), Direction::sendrecv, id, {}));
}

TEST_CASE("directions in an answer: RFC 3264 section 6.1") {
    using enum Direction;

    struct Row {
        Direction wanted;
        Direction offered;
        Direction answered;
    };

    const std::vector<Row> rows = {
        {sendrecv, sendrecv, sendrecv}, {sendrecv, sendonly, recvonly},
        {sendrecv, recvonly, sendonly}, {sendrecv, inactive, inactive},
        {sendonly, sendrecv, sendonly}, {sendonly, sendonly, inactive},
        {sendonly, recvonly, sendonly}, {sendonly, inactive, inactive},
        {recvonly, recvonly, inactive}, {inactive, sendrecv, inactive},
    };
    for (const Row& row : rows) {
        CAPTURE(name(row.wanted));
        CAPTURE(name(row.offered));
        CHECK(answer_direction(row.wanted, row.offered) == row.answered);
        CHECK(direction_of(answered(peer_session(row.offered), {}, row.wanted)) == row.answered);
    }
}

TEST_CASE("the same answer again has the same version, a changed one has one more") {
    const std::string first = answered(peer_session());
    CHECK(contains(first, "o=- 4811 2 IN"));
    CHECK(answered(peer_session(Direction::sendrecv, 5), first) == first);
    const std::string held = answered(peer_session(Direction::sendonly), first);
    CHECK(contains(held, "o=- 4811 3 IN"));
    CHECK(contains(held, "a=recvonly\r\n"));
    const std::string unheld = answered(peer_session(), held);
    CHECK(contains(unheld, "o=- 4811 4 IN"));
    CHECK(direction_of(unheld) == Direction::sendrecv);
}

TEST_CASE("an answer after an offer of ours goes on with its o= line") {
    std::string previous = our_offer();
    const std::size_t at = previous.find("4811 2");
    previous.replace(at, 6, "9999 41");
    CHECK(contains(answered(peer_session(Direction::sendonly), previous), "o=- 9999 42 IN"));
    CHECK(answered(peer_session(), previous) == previous);
}

TEST_CASE("an answer is taken over: codec, address, direction") {
    const auto mu = peer_session(Direction::recvonly, 1,
                                 {{.payload_type = 0, .name = "PCMU", .clock_rate = 8000}}, 5000);
    const auto media =
        apply_answer(mu, our_media(), our_codecs(), redirect(our_offer(), Direction::sendonly));
    REQUIRE(media);
    CHECK(media->codec.name == "PCMU");
    CHECK(media->remote.port == 5000);
    CHECK(media->remote_rtcp.port == 5001);
    CHECK(media->direction == Direction::sendonly);
    CHECK(media->local == our_media().local);
}

TEST_CASE("an answer that accepts nothing is refused") {
    RemoteSession rejected = peer_session();
    rejected.streams.front().rtp.port = 0;
    for (const RemoteSession& answer : {rejected, foreign_session(), RemoteSession{}}) {
        CHECK_FALSE(apply_answer(answer, our_media(), our_codecs(), our_offer()));
    }
}

TEST_CASE("redirect() changes the direction and the version, nothing else") {
    const std::string base = our_offer();
    CHECK(redirect(base, Direction::sendonly) ==
          "v=0\r\no=- 4811 3 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\n"
          "t=0 0\r\nm=audio 20004 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n"
          "a=rtpmap:0 PCMU/8000\r\na=sendonly\r\na=ptime:20\r\n");
    std::string back = redirect(redirect(base, Direction::sendonly), Direction::sendrecv);
    back.replace(back.find("4811 4"), 6, "4811 2");
    CHECK(back == base);
    for (const Direction d :
         {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
        CHECK(direction_of(redirect(base, d)) == d);
        CHECK(direction_of(redirect(redirect(base, Direction::inactive), d)) == d);
    }
}

TEST_CASE("redirect() leaves rejected and other streams alone") {
    RemoteSession offer = peer_session();
    offer.streams.insert(offer.streams.begin(), video());
    offer.streams.insert(offer.streams.begin(), peer_session().streams.front());
    offer.streams.front().rtp.port = 0;
    const std::string both = answered(offer);
    const std::string held = redirect(both, Direction::sendonly);
    CHECK(contains(held, "m=audio 0 RTP/AVP 8 0\r\nm=video 0 RTP/AVP 96 97\r\nm=audio 20004"));
    CHECK(held.find("a=sendonly") == held.rfind("a=sendonly"));
    CHECK(direction_of(held) == Direction::sendonly);
}

TEST_CASE("redirect() of a description that ends with its codecs puts the direction at the end") {
    const std::string bare = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
                             "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
    const std::string held = redirect(bare, Direction::inactive);
    CHECK(held.ends_with("a=rtpmap:0 PCMU/8000\r\na=inactive\r\n"));
}

TEST_CASE("an answer that is not known is made to fit the offer") {
    const std::string held = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\na=sendonly\r\n"
                             "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\nm=video 0 RTP/AVP 31\r\n";
    CHECK(as_answer(held, Direction::sendrecv) ==
          "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\n"
          "m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\nm=video 0 RTP/AVP 31\r\n");
    CHECK(as_answer("m=audio 4000 RTP/AVP 0", Direction::sendonly) ==
          "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n");
}

TEST_CASE("direction_of() looks at the audio stream only, and sendrecv is the default") {
    CHECK(direction_of("") == Direction::sendrecv);
    CHECK(direction_of(our_offer()) == Direction::sendrecv);
    CHECK(direction_of("m=video 4 RTP/AVP 96\r\na=inactive\r\nm=audio 9 RTP/AVP 0\r\n") ==
          Direction::sendrecv);
    CHECK(direction_of("m=audio 9 RTP/AVP 0\r\na=recvonly\r\nm=video 4 RTP/AVP 96\r\n") ==
          Direction::recvonly);
}
