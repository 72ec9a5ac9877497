// Starts the phone on a state directory full of calls and is the peer of all of them, until each
// has been resumed: storm DIALOGS STREAMS SDP_FILE WHAT [kept] [OPTIONS|INFO CALL_ID LOCAL_TAG
// REMOTE_TAG] -- PHONE ARGUMENT...
//
// STREAMS: how many RTP streams to wait for. WHAT: "resumed" waits for the re-INVITEs, any other
// word for the event of that name in the phone's output. "kept": PHONE is a keeper; when all is
// back, the phone is killed, and what comes then is measured. OPTIONS, INFO: asked each 10 ms, from
// 200 ms before on until 500 ms after all is back.
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "questions.hpp"

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

    void forget() { first_.clear(); }

    [[nodiscard]] std::uint64_t lines() const { return lines_; }

    [[nodiscard]] const std::string& trouble() const { return trouble_; }

private:
    void take(std::string_view line, Ns time) {
        ++lines_;
        constexpr std::string_view key = "\"event\":\"";
        const std::size_t at = line.find(key);
        if (at == std::string_view::npos) {
            if (line.starts_with("revenant-keeper: ")) {
                return;
            }
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

struct Plan {
    std::size_t dialogs = 0;
    std::size_t streams = 0;
    std::string sdp;
    std::string what; // to wait for
    bool kept = false;
    bool asks = false;
    std::optional<Model> model; // asks within the dialogs
};

class Storm {
public:
    Storm(std::vector<std::string> phone, Plan plan)
        : plan_{std::move(plan)}, phone_{std::move(phone), events_.path()}, questions_{
                                                                                sip_, plan_.model} {
        calls_.reserve(plan_.dialogs);
    }

    ~Storm() { plan_.kept ? phone_.kill_with_child() : static_cast<void>(phone_.kill()); }

    Storm(const Storm&) = delete;
    Storm& operator=(const Storm&) = delete;

    void run() {
        if (plan_.kept) {
            begin_ = phone_.start();
            until(60 * second, [this] { return done(); });
            wait(500 * ms);
        }
        if (plan_.asks) {
            questions_.start();
            wait(200 * ms);
        }
        begin_ = plan_.kept ? kill_child_of(phone_.pid()) : phone_.start();
        drain();
        forget();
        until(60 * second, [this] { return done(); });
        measured_ = measure();
        const bool all = done();
        if (plan_.asks) {
            wait(500 * ms);
            questions_.stop();
            until(2 * second, [this] { return questions_.all_answered(); });
        }
        print(all);
    }

private:
    struct Measured {
        long rss_kb = 0, threads = 0;
        Descriptors phone, keeper;
        double cpu_ms = 0;
    };

    template <typename Done>
    void until(Ns longest, const Done& done) {
        const std::array fds{sip_.fd(), events_.fd(), rtp_.fd()};
        for (const Ns end = now() + longest; !done() && now() < end;) {
            wait_readable(fds, std::min({end, now() + second, questions_.due()}));
            questions_.tick();
            drain();
        }
    }

    void wait(Ns length) {
        until(length, [] { return false; });
    }

    [[nodiscard]] bool done() const {
        return (plan_.what != "resumed" || acknowledged_ == plan_.dialogs) &&
               ssrcs_.size() >= plan_.streams &&
               (plan_.what == "resumed" || events_.time_of(plan_.what) != 0);
    }

    // The next life starts from here; packet numbers go on.
    void forget() {
        calls_.clear();
        ssrcs_.clear();
        events_.forget();
        lost_ = twice_ = 0;
        answered_ = acknowledged_ = repeated_ = others_ = 0;
        first_invite_ = last_answer_ = last_ack_ = last_stream_ = 0;
    }

    [[nodiscard]] Measured measure() const {
        const pid_t pid = plan_.kept ? child_of(phone_.pid()) : phone_.pid();
        clockid_t clock = 0;
        timespec cpu{};
        if (::clock_getcpuclockid(pid, &clock) == 0) {
            ::clock_gettime(clock, &cpu);
        }
        return {.rss_kb = status_kb(pid, "VmRSS"),
                .threads = status_kb(pid, "Threads"),
                .phone = descriptors(pid),
                .keeper = plan_.kept ? descriptors(phone_.pid()) : Descriptors{},
                .cpu_ms = in_ms(cpu.tv_sec * second + cpu.tv_nsec)};
    }

    void drain() {
        while (const auto got = sip_.receive()) {
            take_sip(*got);
            questions_.tick();
        }
        while (const auto got = rtp_.receive()) {
            if (got->data.size() >= 12) {
                take_rtp(*got);
            }
        }
        events_.read();
    }

    void take_rtp(const Datagram& packet) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(packet.data[i]); };
        const auto sequence = static_cast<std::uint16_t>(byte(2) << 8 | byte(3));
        const std::string ssrc{packet.data.substr(8, 4)};
        const auto [last, first] = sequences_.try_emplace(ssrc, sequence);
        const int step = first ? 1 : static_cast<std::int16_t>(sequence - last->second);
        lost_ += step > 1 ? step - 1 : 0;
        twice_ += step < 1 ? 1 : 0;
        last->second = sequence;
        if (ssrcs_.insert(ssrc).second) {
            last_stream_ = packet.time;
        }
    }

    void take_sip(const Datagram& packet) {
        const Message message{packet.data};
        if (message.is_response()) {
            questions_.take(message, packet.time);
        } else if (message.is("INVITE")) {
            Call& call = calls_[message.value("Call-ID")];
            repeated_ += call.answered ? 1 : 0;
            first_invite_ = first_invite_ == 0 ? packet.time : first_invite_;
            sip_.send(response(message, "200 OK", "peer", plan_.sdp), packet.from);
            if (!call.answered) {
                call.answered = true;
                ++answered_;
                last_answer_ = now();
            }
        } else if (message.is("ACK")) {
            Call& call = calls_[message.value("Call-ID")];
            // One that comes before the re-INVITE is for the 2xx that the record's phone had not
            // acknowledged when it died.
            acknowledged_ += call.answered && !call.acknowledged ? 1 : 0;
            call.acknowledged = call.answered;
            last_ack_ = packet.time;
        } else {
            ++others_;
            sip_.send(response(message, "200 OK", "peer", {}), packet.from);
        }
    }

    void print(bool done) const {
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
        std::printf(
            " \"rss_kb\": %ld, \"cpu_ms\": %.1f, \"threads\": %ld, \"sockets\": %ld, "
            "\"files\": %ld, \"keeper_sockets\": %ld, \"rtp_lost\": %d, \"rtp_twice\": %d,\n ",
            measured_.rss_kb, measured_.cpu_ms, measured_.threads, measured_.phone.sockets,
            measured_.phone.others, measured_.keeper.sockets, lost_, twice_);
        questions_.print(begin_);
        std::printf("\"kept\": %s}\n", plan_.kept ? "true" : "false");
        if (!events_.trouble().empty()) {
            static_cast<void>(
                std::fprintf(stderr, "the phone said: %s\n", events_.trouble().c_str()));
        }
    }

    struct Call {
        bool answered = false;
        bool acknowledged = false;
    };

    Plan plan_;
    Events events_;
    Udp sip_{"127.0.0.2", 5060};
    Udp rtp_{"127.0.0.2", 16000};
    Child phone_;
    Questions questions_;
    Measured measured_;
    std::unordered_map<std::string, Call> calls_;
    std::unordered_set<std::string> ssrcs_;
    std::unordered_map<std::string, std::uint16_t> sequences_; // by SSRC, the last
    int lost_ = 0, twice_ = 0;
    std::size_t answered_ = 0, acknowledged_ = 0, repeated_ = 0, others_ = 0;
    Ns begin_ = 0, first_invite_ = 0, last_answer_ = 0, last_ack_ = 0, last_stream_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 7) {
        give_up("usage: storm DIALOGS STREAMS SDP_FILE WHAT [kept] [OPTIONS|INFO CALL_ID LOCAL_TAG "
                "REMOTE_TAG] -- PHONE ARGUMENT...");
    }
    std::ifstream file{argv[3]};
    std::ostringstream sdp;
    sdp << file.rdbuf();
    const auto number = [&](int i) { return static_cast<std::size_t>(std::atoll(argv[i])); };
    Plan plan;
    plan.dialogs = number(1);
    plan.streams = number(2);
    plan.sdp = sdp.str();
    plan.what = argv[4];
    for (int i = 5; i < argc && std::string_view{argv[i]} != "--"; ++i) {
        const std::string_view word{argv[i]};
        plan.kept = plan.kept || word == "kept";
        plan.asks = plan.asks || word != "kept";
        if (word == "INFO" && i + 3 < argc) {
            plan.model = Model{argv[i + 1], argv[i + 2], argv[i + 3], plan.dialogs};
            break;
        }
    }
    Storm{after_dashes(argc, argv), std::move(plan)}.run();
    return 0;
}
