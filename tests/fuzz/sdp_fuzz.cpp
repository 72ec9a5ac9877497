// The peer's description is read, answered, taken as an answer and redirected, whatever it says;
// what we answer can be read again and has a stream for each of the offer's.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "revenant/base/log.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/call/sdp.hpp"
#include "sip/sofia/multipart.hpp"
#include "sip/sofia/sdp_reader.hpp"

namespace {

using namespace revenant;
using call::Direction;

void must(bool holds, std::string_view what) {
    if (!holds) {
        base::die(what);
    }
}

void answer(const call::RemoteSession& offer,
            const call::Media& media,
            const std::vector<call::Codec>& codecs,
            Direction wanted) {
    const auto answered = call::answer_offer(offer, media, codecs, wanted, 7, {});
    if (!answered) {
        return;
    }
    for (const call::Codec& format : answered->media.receive) {
        const auto same = std::ranges::count(answered->media.receive, format.payload_type,
                                             &call::Codec::payload_type);
        must(same == 1 && format.payload_type < 128, "a number means two formats");
    }
    must(answered->media.ptime_ms >= 10 && answered->media.ptime_ms <= 60, "no such packets");
    const auto again = sip::read_sdp(answered->local_sdp);
    must(again.has_value(), "our answer cannot be read");
    must(again->streams.size() == offer.streams.size(), "our answer has other streams");
    must(call::direction_of(answered->local_sdp) == answered->media.direction,
         "our answer says another direction than it means");
    const auto repeated = call::answer_offer(offer, media, codecs, wanted, 8, answered->local_sdp);
    must(repeated && repeated->local_sdp == answered->local_sdp,
         "the same offer has got another answer");
    for (const Direction d : {Direction::sendrecv, Direction::inactive}) {
        must(call::direction_of(call::redirect(answered->local_sdp, d)) == d, "redirect() did not");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<call::Codec> codecs{
        {.payload_type = 0, .name = "PCMU", .clock_rate = 8000},
        {.payload_type = 8, .name = "PCMA", .clock_rate = 8000}};
    call::Media media;
    media.local = {.address = "192.0.2.1", .port = 20000};
    // SAFETY: bytes are read as characters and only for this call.
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    for (const bool is_strict : {false, true}) {
        const auto part = sip::description_in("mixed", "b1", text, is_strict);
        must(!part || (part->data() >= text.data() && part->size() <= text.size()),
             "a part from elsewhere");
    }
    static_cast<void>(call::redirect(text, Direction::sendonly));
    static_cast<void>(call::direction_of(text));
    const auto session = sip::read_sdp(text);
    if (!session) {
        must(!session.error().context.empty(), "an error without a context");
        return 0;
    }
    must(session->text == text, "the text is not what came in");
    for (const Direction d : {Direction::sendrecv, Direction::sendonly}) {
        answer(*session, media, codecs, d);
    }
    static_cast<void>(call::apply_answer(*session, media, codecs, text));
    static_cast<void>(call::answer_offer(*session, media, codecs, Direction::sendrecv, 1, text));
    return 0;
}
