// Calls the phone, which answers by itself, and talks to it: what processor time and memory do so
// many calls with G.711 both ways take? media SECONDS LOG COUNTS(1,10,100) [PHONE_HOST OUR_HOST] --
// PHONE ARGUMENT...
#include "caller.hpp"

namespace {

using namespace bench;

constexpr int slots = 20; // calls send at 1 ms steps within the 20 ms of a packet

class Media {
public:
    Media(std::vector<std::string> phone, const std::string& log) : phone_{std::move(phone), log} {}

    void run(Ns longest, const std::vector<std::size_t>& counts) {
        phone_.start();
        caller_.wait_for_phone();
        std::printf("[");
        measure(std::min(longest, 3 * second));
        for (const std::size_t count : counts) {
            std::printf(",\n ");
            while (legs_.size() < count) {
                legs_.push_back(caller_.dial());
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
                legs_[i].speak(rtp_);
            }
        }
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

    Udp sip_{hosts.peer, 5060};
    Udp rtp_{hosts.peer, 16000};
    Caller caller_{sip_};
    Child phone_;
    std::vector<Leg> legs_;
    std::size_t received_ = 0;
    int slot_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        give_up("usage: media SECONDS LOG COUNT,... [PHONE_HOST OUR_HOST] -- PHONE ARGUMENT...");
    }
    std::vector<std::size_t> counts;
    std::istringstream list{argv[3]};
    for (std::string count; std::getline(list, count, ',');) {
        counts.push_back(static_cast<std::size_t>(std::atoi(count.c_str())));
    }
    if (const std::vector<std::string> words = before_dashes(argc, argv, 4); words.size() == 2) {
        hosts = {.phone = words[0], .peer = words[1]};
    }
    Media{after_dashes(argc, argv), argv[2]}.run(std::atoi(argv[1]) * second, counts);
    return 0;
}
