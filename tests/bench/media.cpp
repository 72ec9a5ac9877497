// Calls the phone, which answers by itself, and talks to it: what processor time and memory do so
// many calls with G.711 both ways take? media SECONDS LOG COUNTS(1,10,100) -- PHONE ARGUMENT...
#include "tools.hpp"

namespace {

using namespace bench;

constexpr int slots = 20; // calls send at 1 ms steps within the 20 ms of a packet

struct Leg {
    sockaddr_in to{}; // of the phone's RTP
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
};

class Media {
public:
    Media(std::vector<std::string> phone, const std::string& log) : phone_{std::move(phone), log} {}

    void run(Ns longest, const std::vector<std::size_t>& counts) {
        phone_.start();
        if (!answers_options()) {
            give_up("the phone did not start");
        }
        std::printf("[");
        measure(std::min(longest, 3 * second));
        for (const std::size_t count : counts) {
            std::printf(",\n ");
            while (legs_.size() < count) {
                dial();
            }
            talk(second); // the jitter buffers fill
            measure(longest);
        }
        std::printf("]\n");
    }

private:
    void measure(Ns length) {
        const Ns cpu = cpu_time();
        const std::size_t before = received_;
        const Ns begin = now();
        talk(length);
        const Ns took = now() - begin;
        std::printf("{\"calls\": %zu, \"seconds\": %.3f, \"cpu_ms\": %.3f, \"rss_kb\": %ld, "
                    "\"anon_kb\": %ld, \"threads\": %ld, \"received\": %zu}",
                    legs_.size(), in_ms(took) / 1000, in_ms(cpu_time() - cpu),
                    status_kb(phone_.pid(), "VmRSS"), status_kb(phone_.pid(), "RssAnon"),
                    status_kb(phone_.pid(), "Threads"), received_ - before);
        static_cast<void>(std::fflush(stdout));
    }

    [[nodiscard]] Ns cpu_time() const {
        clockid_t clock = 0;
        timespec time{};
        if (::clock_getcpuclockid(phone_.pid(), &clock) != 0 ||
            ::clock_gettime(clock, &time) != 0) {
            give_up("the phone's processor time");
        }
        return time.tv_sec * second + time.tv_nsec;
    }

    // One slot of 1 ms after the other.
    void talk(Ns length) {
        const std::array fds{rtp_.fd(), sip_.fd()};
        const Ns end = now() + length;
        for (Ns due = now(); due < end; due += ms) {
            while (now() < due) {
                wait_readable(fds, due);
                drain();
            }
            slot_ = (slot_ + 1) % slots;
            for (std::size_t i = static_cast<std::size_t>(slot_); i < legs_.size(); i += slots) {
                speak(legs_[i]);
            }
        }
    }

    void speak(Leg& leg) {
        std::array<char, 172> packet{};
        packet.fill('\x55');
        const auto put = [&](std::size_t at, std::uint32_t value) {
            const std::uint32_t big = ::htonl(value);
            std::memcpy(packet.data() + at, &big, sizeof big);
        };
        put(0, 0x80000000U | leg.sequence);
        put(4, leg.sequence * 160U);
        put(8, leg.ssrc);
        ++leg.sequence;
        rtp_.send({packet.data(), packet.size()}, leg.to);
    }

    void drain() {
        while (rtp_.receive()) {
            ++received_;
        }
        while (const auto got = sip_.receive()) {
            const Message message{got->data};
            if (!message.is_response()) {
                sip_.send(response(message, "200 OK", "peer", {}), got->from);
            }
        }
    }

    // The first answer that is final, or empty after two seconds. Sent again as RFC 3261 §17.1
    // says.
    std::string ask(const std::string& request) {
        const std::array fds{sip_.fd()};
        const Ns end = now() + 2 * second;
        for (Ns wait = 50 * ms; now() < end; wait *= 2) {
            sip_.send(request, phone_sip_);
            const Ns again = now() + wait;
            while (now() < again) {
                wait_readable(fds, again);
                while (const auto got = sip_.receive()) {
                    const Message message{got->data};
                    if (message.is_response() && message.status() >= 200 &&
                        message.value("Call-ID") == Message{request}.value("Call-ID")) {
                        return std::string{got->data};
                    }
                }
            }
        }
        return {};
    }

    static std::string request(const std::string& method,
                               const std::string& id,
                               const std::string& to,
                               const std::string& sdp) {
        return method + " sip:alice@127.0.0.1:5060 SIP/2.0\r\n" +
               "Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK" + method + id + "\r\n" +
               "From: <sip:bob@127.0.0.2>;tag=b" + id + "\r\n" + to + "Call-ID: " + id +
               "@127.0.0.2\r\nCSeq: 1 " + method + "\r\nMax-Forwards: 70\r\n" +
               std::string{contact_line} +
               (sdp.empty() ? "" : "Content-Type: application/sdp\r\n") +
               "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
    }

    bool answers_options() {
        return !ask(request("OPTIONS", "o1", "To: <sip:alice@127.0.0.1>\r\n", {})).empty();
    }

    void dial() {
        const std::string id = "media" + std::to_string(legs_.size());
        const std::string to = "To: <sip:alice@127.0.0.1>\r\n";
        const std::string answer = ask(request("INVITE", id, to, audio_sdp(16000)));
        const Message message{answer};
        const std::size_t audio = answer.find("\r\nm=audio ");
        if (answer.empty() || message.status() != 200 || audio == std::string::npos) {
            give_up("the phone did not answer call " + id + ": " + answer.substr(0, 60));
        }
        sip_.send(request("ACK", id, message.lines("To"), {}), phone_sip_);
        legs_.push_back({.to = address_of("127.0.0.1", std::atoi(answer.c_str() + audio + 10)),
                         .ssrc = static_cast<std::uint32_t>(legs_.size() + 1),
                         .sequence = 1});
    }

    Udp sip_{"127.0.0.2", 5060};
    Udp rtp_{"127.0.0.2", 16000};
    sockaddr_in phone_sip_ = address_of("127.0.0.1", 5060);
    Child phone_;
    std::vector<Leg> legs_;
    std::size_t received_ = 0;
    int slot_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        give_up("usage: media SECONDS LOG COUNT,... -- PHONE ARGUMENT...");
    }
    std::vector<std::size_t> counts;
    std::istringstream list{argv[3]};
    for (std::string count; std::getline(list, count, ',');) {
        counts.push_back(static_cast<std::size_t>(std::atoi(count.c_str())));
    }
    Media{after_dashes(argc, argv), argv[2]}.run(std::atoi(argv[1]) * second, counts);
    return 0;
}
