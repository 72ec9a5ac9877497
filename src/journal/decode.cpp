#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "journal/fields.hpp"
#include "journal/tree.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

namespace {

using base::Errc;
using base::fail;

call::Endpoint read_endpoint(Fields f) {
    return {.address = f.text("address"), .port = f.u16("port")};
}

call::Codec read_codec(Fields f) {
    return {.payload_type = f.u8("payload_type"),
            .name = f.text("name"),
            .clock_rate = f.u32("clock_rate")};
}

// "8 PCMA/8000". What is not of that form has the clock rate 0, which the check refuses.
call::Codec read_format(std::string_view text) {
    const std::size_t space = text.find(' ');
    const std::size_t slash = text.rfind('/');
    const bool has_parts =
        space != std::string_view::npos && slash != std::string_view::npos && space < slash;
    const auto type = has_parts ? base::to_u32(text.substr(0, space)) : std::nullopt;
    const auto rate = has_parts ? base::to_u32(text.substr(slash + 1)) : std::nullopt;
    if (!type || *type > 127 || !rate) {
        return {.payload_type = 0, .name = {}, .clock_rate = 0};
    }
    return {.payload_type = static_cast<std::uint8_t>(*type),
            .name = std::string{text.substr(space + 1, slash - space - 1)},
            .clock_rate = *rate};
}

call::Segment read_segment(Fields f) {
    return {.seq = f.u16("seq"),
            .ts = f.u32("ts"),
            .boot_ns = f.i64("boot_ns"),
            .real_ns = f.i64("real_ns"),
            .boot_id = f.text("boot_id")};
}

call::Media read_media(Fields f) {
    call::Media media;
    media.local = read_endpoint(f.object("local"));
    media.remote = read_endpoint(f.object("remote"));
    media.remote_rtcp = read_endpoint(f.object("remote_rtcp"));
    media.codec = read_codec(f.object("codec"));
    if (f.has("receive")) {
        for (const std::string& format : f.texts("receive")) {
            media.receive.push_back(read_format(format));
        }
    }
    if (const std::optional<Fields> event = f.object_or_null("telephone_event")) {
        media.telephone_event = read_codec(*event);
    }
    media.ptime_ms = f.u32("ptime_ms");
    media.direction = f.named<call::Direction>("direction");
    media.ssrc = f.u32("ssrc");
    media.segment = read_segment(f.object("segment"));
    media.source = f.text("source");
    media.sink = f.text("sink");
    return media;
}

call::Hold read_hold(Fields f) {
    return {.local = f.flag("local"), .remote = f.flag("remote")};
}

call::SessionTimer read_timer(Fields f) {
    return {.interval_s = f.u32("interval_s"),
            .min_se_s = f.u32("min_se_s"),
            .refresher = f.named<call::Refresher>("refresher"),
            .deadline_ms = f.i64("deadline_ms")};
}

call::BootTimes read_boot(Fields f) {
    return {.id = f.text("id"),
            .established_ms = f.i64("established_ms"),
            .deadline_ms = f.i64("deadline_ms"),
            .ring_until_ms = f.i64("ring_until_ms")};
}

call::SentPrack read_prack_sent(Fields f) {
    return {
        .tag = f.text("tag"), .rseq = f.u32("rseq"), .cseq = f.u32("cseq"), .done = f.flag("done")};
}

// Schema 1 knew no canceled or refused INVITE; it gave up calls that rang.
call::InFlight read_in_flight(Fields f, std::uint32_t version) {
    call::InFlight in_flight{.invite = f.text("invite"), .cseq = f.u32("cseq")};
    in_flight.reoffer = f.flag("reoffer");
    if (version >= 2) {
        in_flight.canceled = f.flag("canceled");
        in_flight.status = f.u16("status");
    }
    if (f.has("prack")) {
        in_flight.prack = f.text("prack");
    }
    if (f.has("sent_to")) {
        in_flight.sent_to = read_endpoint(f.object("sent_to"));
    }
    if (f.has("ring_until_ms")) {
        in_flight.ring_until_ms = f.i64("ring_until_ms");
        in_flight.ring_status = f.u16("ring_status");
    }
    if (f.has("prack_sent")) {
        in_flight.prack_sent = read_prack_sent(f.object("prack_sent"));
    }
    return in_flight;
}

call::Dialog read_dialog(Fields& f, std::uint32_t version) {
    return {.number = f.u32("number"),
            .role = f.named<call::Role>("role"),
            .phase = f.named<call::Phase>("phase"),
            .call_id = f.text("call_id"),
            .local_uri = f.text("local_uri"),
            .local_tag = f.text("local_tag"),
            .remote_uri = f.text("remote_uri"),
            .remote_tag = f.text("remote_tag"),
            .local_contact = f.text("local_contact"),
            .remote_target = f.text("remote_target"),
            .route_set = f.texts("route_set"),
            .outbound_proxy = f.text("outbound_proxy"),
            .cseq_watermark = f.u32("cseq_watermark"),
            .epoch = f.u32("epoch"),
            .remote_cseq = f.u32("remote_cseq"),
            .peer_allow = f.text("peer_allow"),
            .peer_supported = f.text("peer_supported"),
            .transport = f.named<call::Transport>("transport"),
            .local_sip = read_endpoint(f.object("local_sip")),
            .remote_sip = read_endpoint(f.object("remote_sip")),
            .local_sdp = f.text("local_sdp"),
            .remote_sdp = f.text("remote_sdp"),
            .hold = read_hold(f.object("hold")),
            .timer = read_timer(f.object("timer")),
            .media = read_media(f.object("media")),
            .in_flight = read_in_flight(f.object("in_flight"), version),
            .started_ms = f.i64("started_ms"),
            .established_ms = f.i64("established_ms"),
            .boot = f.has("boot") ? read_boot(f.object("boot")) : call::BootTimes{},
            .resumes = f.u32("resumes")};
}

} // namespace

base::Result<call::Dialog> decode(std::string_view text) {
    if (text.size() > record_size_max) {
        return fail(Errc::corrupt,
                    fmt::format("the record is longer than {} bytes", record_size_max));
    }
    const base::Result<Tree> tree = parse_tree(text);
    if (!tree) {
        return fail(tree.error().code, "the record " + tree.error().context);
    }
    if (tree->front().kind != Node::Kind::object) {
        return fail(Errc::corrupt, "the record is not a JSON object");
    }
    base::Status status;
    Fields fields{*tree, status};
    const std::uint32_t version = fields.u32("schema");
    if (status && version > static_cast<std::uint32_t>(schema)) {
        return fail(Errc::too_new,
                    fmt::format("the record has schema {} and this version of revenant reads up "
                                "to {}; use the version that wrote it",
                                version, schema));
    }
    if (status && version == 0) {
        return fail(Errc::corrupt, "schema is 0");
    }
    call::Dialog dialog = read_dialog(fields, version);
    if (status) {
        status = check(dialog);
    }
    if (!status) {
        return fail(status.error());
    }
    return dialog;
}

} // namespace revenant::journal
