// Starts the phone on a state directory full of calls and is the peer of all of them, until each
// has been resumed: storm DIALOGS STREAMS SDP_FILE WHAT -- PHONE ARGUMENT...
//
// STREAMS: how many RTP streams to wait for. WHAT: "resumed" waits for the re-INVITEs, any other
// word for the event of that name in the phone's output.
#include <unordered_map>
#include <unordered_set>

#include "tools.hpp"

namespace {

using namespace bench;

// The phone's events are read so that its pipe never fills, and for the time of a few.
class Events {
public:
    Events() {
        if (::pipe2(pipe_.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
            give_up("pipe");
        }
        // The phone's end must block: its output is not what is measured, but nor may it be lost.
        ::fcntl(pipe_[1], F_SETFL, 0);
        ::fcntl(pipe_[1], F_SETPIPE_SZ, 1 << 20);
    }

    [[nodiscard]] int fd() const { return pipe_[0]; }

    // Where a child finds the writing end.
    [[nodiscard]] std::string path() const { return "/dev/fd/" + std::to_string(pipe_[1]); }

    void read() {
        static std::array<char, 1 << 16> buffer;
        for (ssize_t got = 0; (got = ::read(pipe_[0], buffer.data(), buffer.size())) > 0;) {
            text_.append(buffer.data(), static_cast<std::size_t>(got));
        }
        const Ns time = now();
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = text_.find('\n', begin)) != std::string::npos;
             begin = end + 1) {
            take(std::string_view{text_}.substr(begin, end - begin), time);
        }
        text_.erase(0, begin);
    }

    [[nodiscard]] Ns time_of(const std::string& event) const {
        const auto found = first_.find(event);
        return found != first_.end() ? found->second : 0;
    }

    [[nodiscard]] std::uint64_t lines() const { return lines_; }

    [[nodiscard]] const std::string& trouble() const { return trouble_; }

private:
    void take(std::string_view line, Ns time) {
        ++lines_;
        constexpr std::string_view key = "\"event\":\"";
        const std::size_t at = line.find(key);
        if (at == std::string_view::npos) {
            trouble_ = trouble_.empty() ? std::string{line} : trouble_;
            return;
        }
        const std::string_view rest = line.substr(at + key.size());
        const std::string event{rest.substr(0, rest.find('"'))};
        first_.emplace(event, time);
        if ((event == "error" || event == "media.trouble") && trouble_.empty()) {
            trouble_ = line;
        }
    }

    std::array<int, 2> pipe_{};
    std::string text_;
    std::unordered_map<std::string, Ns> first_;
    std::uint64_t lines_ = 0;
    std::string trouble_;
};

class Storm {
public:
    Storm(std::vector<std::string> phone, std::size_t dialogs, std::size_t streams, std::string sdp)
        : phone_{std::move(phone), events_.path()}, dialogs_{dialogs}, streams_{streams},
          sdp_{std::move(sdp)} {
        calls_.reserve(dialogs);
    }

    int run(const std::string& what) {
        begin_ = phone_.start();
        const Ns end = begin_ + 60 * second;
        const std::array fds{sip_.fd(), events_.fd(), rtp_.fd()};
        while (!done(what) && now() < end) {
            wait_readable(fds, std::min(end, now() + second));
            drain();
        }
        print(done(what));
        phone_.kill();
        return 0;
    }

private:
    [[nodiscard]] bool done(const std::string& what) const {
        return (what != "resumed" || acknowledged_ == dialogs_) && ssrcs_.size() >= streams_ &&
               (what == "resumed" || events_.time_of(what) != 0);
    }

    void drain() {
        while (const auto got = sip_.receive()) {
            take_sip(*got);
        }
        while (const auto got = rtp_.receive()) {
            if (got->data.size() >= 12 && ssrcs_.emplace(got->data.substr(8, 4)).second) {
                last_stream_ = got->time;
            }
        }
        events_.read();
    }

    void take_sip(const Datagram& packet) {
        const Message message{packet.data};
        if (message.is("INVITE")) {
            Call& call = calls_[message.value("Call-ID")];
            repeated_ += call.answered ? 1 : 0;
            first_invite_ = first_invite_ == 0 ? packet.time : first_invite_;
            sip_.send(response(message, "200 OK", "peer", sdp_), packet.from);
            if (!call.answered) {
                call.answered = true;
                ++answered_;
                last_answer_ = now();
            }
        } else if (message.is("ACK")) {
            Call& call = calls_[message.value("Call-ID")];
            acknowledged_ += call.acknowledged ? 0 : 1;
            call.acknowledged = true;
            last_ack_ = packet.time;
        } else if (!message.is_response()) {
            ++others_;
            sip_.send(response(message, "200 OK", "peer", {}), packet.from);
        }
    }

    void print(bool done) const {
        clockid_t clock = 0;
        timespec cpu{};
        if (::clock_getcpuclockid(phone_.pid(), &clock) == 0) {
            ::clock_gettime(clock, &cpu);
        }
        const auto since = [this](Ns time) { return time == 0 ? 0.0 : in_ms(time - begin_); };
        std::printf("{\"done\": %s, \"answered\": %zu, \"acknowledged\": %zu, \"repeated\": %zu, "
                    "\"others\": %zu, \"streams\": %zu, \"lines\": %llu,\n",
                    done ? "true" : "false", answered_, acknowledged_, repeated_, others_,
                    ssrcs_.size(), static_cast<unsigned long long>(events_.lines()));
        std::printf(" \"ready_ms\": %.3f, \"restored_ms\": %.3f, \"first_invite_ms\": %.3f, "
                    "\"answered_ms\": %.3f, \"ack_ms\": %.3f, \"streams_ms\": %.3f,\n",
                    since(events_.time_of("ready")), since(events_.time_of("resume.ask")),
                    since(first_invite_), since(last_answer_), since(last_ack_),
                    since(last_stream_));
        std::printf(" \"rss_kb\": %ld, \"cpu_ms\": %.1f}\n", status_kb(phone_.pid(), "VmRSS"),
                    in_ms(cpu.tv_sec * second + cpu.tv_nsec));
        if (!events_.trouble().empty()) {
            static_cast<void>(
                std::fprintf(stderr, "the phone said: %s\n", events_.trouble().c_str()));
        }
    }

    struct Call {
        bool answered = false;
        bool acknowledged = false;
    };

    Events events_;
    Udp sip_{"127.0.0.2", 5060};
    Udp rtp_{"127.0.0.2", 16000};
    Child phone_;
    std::size_t dialogs_;
    std::size_t streams_;
    std::string sdp_;
    std::unordered_map<std::string, Call> calls_;
    std::unordered_set<std::string> ssrcs_;
    std::size_t answered_ = 0, acknowledged_ = 0, repeated_ = 0, others_ = 0;
    Ns begin_ = 0, first_invite_ = 0, last_answer_ = 0, last_ack_ = 0, last_stream_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 7) {
        give_up("usage: storm DIALOGS STREAMS SDP_FILE WHAT -- PHONE ARGUMENT...");
    }
    std::ifstream file{argv[3]};
    std::ostringstream sdp;
    sdp << file.rdbuf();
    const auto number = [&](int i) { return static_cast<std::size_t>(std::atoll(argv[i])); };
    Storm storm{after_dashes(argc, argv), number(1), number(2), sdp.str()};
    return storm.run(argv[4]);
}
