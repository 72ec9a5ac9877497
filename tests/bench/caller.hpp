// The bench programs as callers: requests to the phone, a call that it answers, and RTP to it.
#pragma once

#include "message.hpp"
#include "tools.hpp"

namespace bench {

struct Request {
    std::string_view method;
    std::string call_id;
    std::string from; // whole lines, with their ends
    std::string to;
    int cseq = 1;

    [[nodiscard]] std::string text(const std::string& sdp = {}) const {
        const std::string number = std::to_string(cseq);
        return std::string{method} + " sip:alice@" + hosts.phone + ":5060 SIP/2.0\r\n" +
               "Via: SIP/2.0/UDP " + hosts.peer + ":5060;branch=z9hG4bK" + std::string{method} +
               number + call_id.substr(0, call_id.find('@')) + "\r\n" + from + to +
               "Call-ID: " + call_id + "\r\nCSeq: " + number + " " + std::string{method} +
               "\r\nMax-Forwards: 70\r\n" + contact_line() +
               (sdp.empty() ? "" : "Content-Type: application/sdp\r\n") +
               "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
    }
};

inline Request request(std::string_view method, const std::string& id) {
    return {.method = method,
            .call_id = id + "@" + hosts.peer,
            .from = "From: <sip:bob@" + hosts.peer + ">;tag=b" + id + "\r\n",
            .to = "To: <sip:alice@" + hosts.phone + ">\r\n"};
}

// A call that we made, from our end.
struct Leg {
    Request last;     // of ours in the dialog
    sockaddr_in to{}; // of the phone's RTP
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 1;

    std::string next(std::string_view method) {
        last.method = method;
        ++last.cseq;
        return last.text();
    }

    // One packet of 20 ms.
    void speak(Udp& rtp) {
        std::array<char, 172> packet{};
        packet.fill('\x55');
        const auto put = [&](std::size_t at, std::uint32_t value) {
            const std::uint32_t big = ::htonl(value);
            std::memcpy(packet.data() + at, &big, sizeof big);
        };
        put(0, 0x80000000U | sequence);
        put(4, sequence * 160U);
        put(8, ssrc);
        ++sequence;
        rtp.send({packet.data(), packet.size()}, to);
    }
};

// The phone, seen from its peer.
class Caller {
public:
    explicit Caller(Udp& sip) : sip_{sip} {}

    // The first answer that is final, or empty after two seconds. Sent again as RFC 3261 §17.1
    // says. Nothing else is answered meanwhile.
    std::string ask(const Request& request, const std::string& sdp = {}) {
        const std::array fds{sip_.fd()};
        const std::string text = request.text(sdp);
        const Ns end = now() + 2 * second;
        for (Ns wait = 50 * ms; now() < end; wait *= 2) {
            sip_.send(text, phone_);
            const Ns again = now() + wait;
            while (now() < again) {
                wait_readable(fds, again);
                while (const auto got = sip_.receive()) {
                    const Message message{got->data};
                    if (message.is_response() && message.status() >= 200 &&
                        message.value("Call-ID") == request.call_id) {
                        return std::string{got->data};
                    }
                }
            }
        }
        return {};
    }

    void wait_for_phone() {
        if (ask(request("OPTIONS", "o1")).empty()) {
            give_up("the phone did not start");
        }
    }

    // A call that the phone answers by itself, with our RTP at port 16000.
    Leg dial() {
        ++dialed_;
        Request invite = request("INVITE", "call" + std::to_string(dialed_));
        const std::string answer = ask(invite, audio_sdp(16000));
        const Message message{answer};
        const std::size_t audio = answer.find("\r\nm=audio ");
        if (answer.empty() || message.status() != 200 || audio == std::string::npos) {
            give_up("the phone did not answer " + invite.call_id + ": " + answer.substr(0, 60));
        }
        invite.to = message.lines("To");
        invite.method = "ACK";
        send(invite.text());
        return {.last = invite,
                .to = address_of(hosts.phone, std::atoi(answer.c_str() + audio + 10)),
                .ssrc = dialed_};
    }

    void send(const std::string& text) { sip_.send(text, phone_); }

private:
    Udp& sip_;
    sockaddr_in phone_ = address_of(hosts.phone, 5060);
    std::uint32_t dialed_ = 0;
};

} // namespace bench
