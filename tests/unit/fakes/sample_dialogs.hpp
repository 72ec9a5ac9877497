// Three dialogs with every member set: those of the golden records in tests/data/records/.
#pragma once

#include "revenant/call/dialog.hpp"

namespace revenant::journal {

inline call::Dialog sample_caller() {
    call::Dialog d;
    d.number = 7;
    d.role = call::Role::caller;
    d.phase = call::Phase::established;
    d.call_id = "9f2c1e5a-0b1d-4f7e-8c55-d3a1b2c4e5f6";
    d.local_uri = "\"Alice\" <sip:alice@192.0.2.10>";
    d.local_tag = "g5Xr8Q3pHm0aZ";
    d.remote_uri = "<sip:bob@example.org>";
    d.remote_tag = "as58f4201b";
    d.local_contact = "<sip:alice@192.0.2.10:5060>";
    d.remote_target = "sip:bob@198.51.100.7:5062;ob";
    d.route_set = {"<sip:p1.example.org;lr>", "<sip:p2.example.org:5070;lr;transport=udp>"};
    d.outbound_proxy = "sip:192.0.2.1:5060";
    d.cseq_watermark = 103'552'203;
    d.epoch = 3;
    d.remote_cseq = 11;
    d.peer_allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO";
    d.peer_supported = "timer, 100rel, replaces";
    d.transport = call::Transport::udp;
    d.local_sip = {.address = "192.0.2.10", .port = 5060};
    d.remote_sip = {.address = "192.0.2.1", .port = 5060};
    d.local_sdp = "v=0\r\no=- 4811 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
                  "m=audio 20004 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n"
                  "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
                  "a=fmtp:101 0-15\r\na=ptime:20\r\n";
    d.remote_sdp = "v=0\r\no=bob 2890844527 2890844527 IN IP4 198.51.100.7\r\ns= \r\n"
                   "c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n"
                   "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
    d.timer = {.interval_s = 1800,
               .min_se_s = 90,
               .refresher = call::Refresher::local,
               .deadline_ms = 1'790'000'900'000};
    d.media.local = {.address = "192.0.2.10", .port = 20004};
    d.media.remote = {.address = "198.51.100.7", .port = 40000};
    d.media.remote_rtcp = {.address = "198.51.100.7", .port = 40001};
    d.media.codec = {.payload_type = 8, .name = "PCMA", .clock_rate = 8000};
    d.media.telephone_event =
        call::Codec{.payload_type = 101, .name = "telephone-event", .clock_rate = 8000};
    d.media.ptime_ms = 20;
    d.media.ssrc = 3'735'928'559;
    d.media.segment = {.seq = 50'001,
                       .ts = 4'000'000'123,
                       .boot_ns = 81'234'567'890'123,
                       .real_ns = 1'789'999'100'250'000'000,
                       .boot_id = "3b1b0c0e-5f0a-4a53-9f0e-1de2d7a0b0aa"};
    d.media.source = "tone:440";
    d.media.sink = "file:/tmp/call-7.wav";
    d.started_ms = 1'789'999'095'000;
    d.established_ms = 1'789'999'100'000;
    d.resumes = 1;
    return d;
}

// May receive another codec than it sends, and one under the peer's own number.
inline call::Dialog sample_receiving() {
    call::Dialog d = sample_caller();
    d.media.receive = {{.payload_type = 8, .name = "PCMA"},
                       {.payload_type = 0, .name = "PCMU"},
                       {.payload_type = 121, .name = "PCMA"}};
    return d;
}

// Over TCP and IPv6, held by both sides, a re-INVITE of ours under way, a name that is not UTF-8.
inline call::Dialog sample_callee_on_hold() {
    call::Dialog d = sample_caller();
    d.number = 12;
    d.role = call::Role::callee;
    d.call_id = "3848276298220188511@[2001:db8::7]";
    d.remote_uri = "\"Ren\xE9\" <sip:rene@[2001:db8::7]>";
    d.local_uri = "\"\xE6\x97\xA5\xE6\x9C\xAC\" <sip:alice@[2001:db8::10]>";
    d.local_contact = "<sip:alice@[2001:db8::10]:5060;transport=tcp>";
    d.remote_target = "sip:rene@[2001:db8::7]:49152;transport=tcp";
    d.route_set.clear();
    d.outbound_proxy.clear();
    d.transport = call::Transport::tcp;
    d.local_sip = {.address = "2001:db8::10", .port = 5060};
    d.remote_sip = {.address = "fe80::7%eth0", .port = 49152};
    d.hold = {.local = true, .remote = true};
    d.timer = {.interval_s = 600,
               .min_se_s = 120,
               .refresher = call::Refresher::remote,
               .deadline_ms = 1'790'000'300'000};
    d.local_sdp = "v=0\r\no=- 77 2 IN IP6 2001:db8::10\r\ns=-\r\nc=IN IP6 2001:db8::10\r\n"
                  "t=0 0\r\nm=audio 20006 RTP/AVP 0\r\na=inactive\r\n";
    d.remote_sdp = "v=0\r\no=- 1 1 IN IP6 2001:db8::7\r\ns=R\xE9union\r\nc=IN IP6 2001:db8::7\r\n"
                   "t=0 0\r\nm=audio 6000 RTP/AVP 0\r\na=sendonly\r\n";
    d.media.local = {.address = "2001:db8::10", .port = 20006};
    d.media.remote = {.address = "2001:db8::7", .port = 6000};
    d.media.remote_rtcp = {.address = "2001:db8::7", .port = 6001};
    d.media.codec = {.payload_type = 0, .name = "PCMU", .clock_rate = 8000};
    d.media.telephone_event.reset();
    d.media.direction = call::Direction::inactive;
    d.in_flight = {.invite = "", .cseq = 103'552'180};
    d.in_flight.reoffer = true;
    d.resumes = 0;
    return d;
}

// An INVITE that we have not answered: no media yet, the raw message in the record.
inline call::Dialog sample_ringing() {
    call::Dialog d;
    d.number = 1;
    d.role = call::Role::callee;
    d.phase = call::Phase::ringing;
    d.call_id = "a84b4c76e66710@pc33.atlanta.example.com";
    d.local_uri = "<sip:alice@192.0.2.10>";
    d.local_tag = "314159";
    d.remote_uri = "\"Bob\" <sip:bob@biloxi.example.com>";
    d.remote_tag = "1928301774";
    d.remote_target = "sip:bob@198.51.100.7";
    d.epoch = 1;
    d.remote_cseq = 314'159;
    d.local_sip = {.address = "192.0.2.10", .port = 5060};
    d.remote_sip = {.address = "198.51.100.7", .port = 5060};
    d.remote_sdp = "v=0\r\no=bob 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n"
                   "t=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
    d.in_flight.invite =
        "INVITE sip:alice@192.0.2.10 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK776asdhds\r\nMax-Forwards: 70\r\n"
        "To: <sip:alice@192.0.2.10>\r\n"
        "From: \"Bob\" <sip:bob@biloxi.example.com>;tag=1928301774\r\n"
        "Call-ID: a84b4c76e66710@pc33.atlanta.example.com\r\nCSeq: 314159 INVITE\r\n"
        "Contact: <sip:bob@198.51.100.7>\r\nContent-Type: application/sdp\r\n"
        "Content-Length: 108\r\n\r\n" +
        d.remote_sdp;
    d.in_flight.cseq = 314'159;
    d.started_ms = 1'789'999'095'000;
    return d;
}

// The same, refused; the ACK has not come.
inline call::Dialog sample_refusing() {
    call::Dialog d = sample_ringing();
    d.phase = call::Phase::ending;
    d.local_contact = "<sip:alice@192.0.2.10:5060>";
    d.in_flight.status = 486;
    return d;
}

// The caller's PRACK has come.
inline call::Dialog sample_pracked() {
    call::Dialog d = sample_ringing();
    d.in_flight.prack = "PRACK sip:alice@192.0.2.10 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK776asdhdt\r\n"
                        "RAck: 1 314159 INVITE\r\nCSeq: 314160 PRACK\r\n\r\n";
    return d;
}

// The other end rings reliably.
inline call::Dialog sample_inviting() {
    call::Dialog d = sample_caller();
    d.phase = call::Phase::inviting;
    d.established_ms = 0;
    d.in_flight.cseq = 2;
    d.in_flight.sent_to = {.address = "198.51.100.8", .port = 5070};
    d.in_flight.prack_sent = {.tag = d.remote_tag, .rseq = 1988, .cseq = 3, .done = true};
    return d;
}

// Its instants are on the boot clock, too.
inline call::Dialog sample_timed() {
    call::Dialog d = sample_caller();
    d.boot = {.id = "3b1b0c0e-5f0a-4a53-9f0e-1de2d7a0b0aa",
              .established_ms = 81'234'318,
              .deadline_ms = 82'134'318,
              .ring_until_ms = 0};
    return d;
}

// It may ring for a minute.
inline call::Dialog sample_ringing_until() {
    call::Dialog d = sample_ringing();
    d.in_flight.ring_until_ms = d.started_ms + 60'000;
    d.in_flight.ring_status = 487;
    d.boot = {.id = "3b1b0c0e-5f0a-4a53-9f0e-1de2d7a0b0aa",
              .established_ms = 0,
              .deadline_ms = 0,
              .ring_until_ms = 81'289'318};
    return d;
}

// Over TLS, of an account with a name, and its timestamps count 16,000 a second.
inline call::Dialog sample_tls() {
    call::Dialog d = sample_caller();
    d.account = "work";
    d.transport = call::Transport::tls;
    d.local_contact = "<sip:alice@192.0.2.10:5061;transport=tls>";
    d.remote_target = "sips:bob@198.51.100.7:5062;ob";
    d.route_set = {"<sip:p1.example.org;transport=tls;lr>", "<sip:p2.example.org:5070;lr>"};
    d.outbound_proxy = "sip:192.0.2.1:5061;transport=tls";
    d.local_sip.port = 5061;
    d.media.codec = {.payload_type = 96, .name = "L16", .clock_rate = 16'000};
    d.media.segment.clock_rate = 16'000;
    return d;
}

// As no call is: everything that a record can hold is there, and differs from its default.
inline call::Dialog sample_full() {
    call::Dialog d = sample_receiving();
    d.account = "work";
    d.hold = {.local = true, .remote = true};
    d.media.direction = call::Direction::inactive;
    d.in_flight = sample_inviting().in_flight;
    d.in_flight.invite = sample_ringing().in_flight.invite;
    d.in_flight.prack = sample_pracked().in_flight.prack;
    d.in_flight.canceled = true;
    d.in_flight.status = 486;
    d.in_flight.reoffer = true;
    d.in_flight.ring_until_ms = d.started_ms + 60'000;
    d.in_flight.ring_status = 487;
    d.boot = {.id = "3b1b0c0e-5f0a-4a53-9f0e-1de2d7a0b0aa",
              .established_ms = 81'234'318,
              .deadline_ms = 82'134'318,
              .ring_until_ms = 81'289'318};
    return d;
}

} // namespace revenant::journal
