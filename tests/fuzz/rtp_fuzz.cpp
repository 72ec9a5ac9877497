// Everything in the media module that takes bytes from outside: RTP, RTCP, WAV headers, and the
// jitter buffer behind them. The first byte chooses.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "media/audio/wav_reader.hpp"
#include "media/rtp/jitter_buffer.hpp"
#include "media/rtp/reception.hpp"
#include "media/rtp/rtcp.hpp"
#include "media/rtp/rtp.hpp"

using namespace revenant::media;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void fuzz_rtp(Bytes bytes) {
    const auto packet = parse_rtp(bytes);
    if (!packet) {
        return;
    }
    require(packet->payload.size() + rtp_header_size <= bytes.size());
    require(packet->payload.empty() ||
            packet->payload.data() + packet->payload.size() <= bytes.data() + bytes.size());
    std::uint8_t again[rtp_header_size] = {};
    write_rtp_header(packet->header, again);
    require(parse_rtp(again)->header == packet->header);
}

void fuzz_rtcp(Bytes bytes) {
    const auto news = parse_rtcp(bytes, 0x2a2a2a2a);
    if (!news) {
        return;
    }
    std::uint8_t again[rtcp_size_max] = {};
    const auto size = write_rtcp({.ssrc = news->ssrc,
                                  .sender = news->sender,
                                  .block = news->about_us,
                                  .cname = "x",
                                  .bye = news->bye},
                                 again);
    const auto same = parse_rtcp(Bytes{again}.first(size), 0x2a2a2a2a);
    require(same && same->sender == news->sender && same->about_us == news->about_us &&
            same->bye == news->bye);
    if (news->about_us) {
        const auto trip = round_trip_ms(*news->about_us, 0x1234567890abcdef);
        require(!trip || (*trip >= 0 && *trip <= 60'000));
    }
}

void fuzz_wav(Bytes bytes) {
    const std::uint64_t size = bytes.size() + (bytes.empty() ? 0 : bytes[0]);
    const auto format = parse_wav(bytes, size);
    if (format) {
        require(format->channels >= 1 && format->channels <= 8);
        require(format->data_at <= bytes.size());
        require(format->data_octets == 0 || format->data_at + format->data_octets <= size);
    }
}

// A stream of packets of seven bytes each: SSRC, sequence, timestamp, length.
void fuzz_stream(Bytes bytes) {
    Reception reception;
    JitterBuffer buffer;
    buffer.keep_payload(!bytes.empty() && bytes[0] % 2 == 0);
    JitterBuffer::Frame frame;
    static const std::uint8_t payload[700] = {};
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
        const auto timestamp = be32(bytes, 3);
        const auto verdict =
            reception.receive(bytes[0] % 4U, be16(bytes, 1), timestamp, timestamp + bytes[7]);
        if (verdict == Reception::Verdict::restarted) {
            buffer.reset();
        }
        if (verdict != Reception::Verdict::duplicate) {
            static_cast<void>(
                buffer.put(timestamp, Bytes{payload}.first(std::size_t{bytes[7]} * 2)));
        }
        if (bytes[0] >= 64) {
            buffer.play(160, frame);
            std::uint32_t sum = 0;
            for (std::size_t i = 0; i < frame.count; ++i) {
                sum += frame.pieces[i].samples;
            }
            require(frame.count == 0 || sum == 160);
        }
    }
    static_cast<void>(reception.report());
    static_cast<void>(reception.lost());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const Bytes bytes{data + 1, size - 1};
    switch (data[0] % 4) {
    case 0: fuzz_rtp(bytes); break;
    case 1: fuzz_rtcp(bytes); break;
    case 2: fuzz_wav(bytes); break;
    default: fuzz_stream(bytes); break;
    }
    return 0;
}
