// Kills the phone in calls under its keeper and writes down what their peer, which we are, sees of
// that: kept COUNT CALLS METHOD FLOOR LOG -- KEEPER OPTION... -- PHONE ARGUMENT...
//
// METHOD: a request of that name is sent in the first call as soon as the phone is dead, once, or
// "-". After a BYE a new call is made for the next kill. The floor program is killed under a keeper
// of its own. As in kills.cpp every other kill comes just before a packet of the first call is due.
#include <unordered_map>
#include <unordered_set>

#include "caller.hpp"

namespace {

using namespace bench;

constexpr Ns ptime = 20 * ms;
constexpr Ns never = INT64_MAX;

// All packets that came from one of the phone's ports. Packets that overtake each other are neither
// lost nor sent twice.
class Stream {
public:
    void take(const Datagram& packet) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(packet.data[i]); };
        const auto sequence = static_cast<std::uint16_t>(byte(2) << 8 | byte(3));
        const std::string_view ssrc = packet.data.substr(8, 4);
        if (packets_ == 0) {
            first_ = highest_ = sequence;
            ssrc_ = ssrc;
        }
        others_ += ssrc == ssrc_ ? 0 : 1;
        const auto step =
            static_cast<std::int16_t>(sequence - static_cast<std::uint16_t>(highest_));
        seen_.insert(highest_ + step);
        highest_ = std::max(highest_, highest_ + step);
        ++packets_;
        last_ = packet.time;
    }

    [[nodiscard]] std::int64_t packets() const { return packets_; }

    [[nodiscard]] std::int64_t distinct() const { return static_cast<std::int64_t>(seen_.size()); }

    [[nodiscard]] std::int64_t lost() const { return highest_ - first_ + 1 - distinct(); }

    [[nodiscard]] std::int64_t twice() const { return packets_ - distinct(); }

    [[nodiscard]] std::int64_t others() const { return others_; }

    [[nodiscard]] Ns last() const { return last_; }

private:
    std::unordered_set<std::int64_t> seen_;
    std::int64_t first_ = 0, highest_ = -1, packets_ = 0, others_ = 0;
    std::string ssrc_;
    Ns last_ = 0;
};

struct Numbers {
    std::vector<double> gone, first_rtp, ready, invite, answered, acknowledged, asked, floor, lost,
        twice, back; // `back`: of every kill, or -1
    int unanswered = 0, denied = 0;
};

struct Call {
    Leg leg;
    Stream stream;
    Ns rtp = 0, invite = 0, answer = 0, ack = 0; // the first since the kill
};

class Kept {
public:
    Kept(std::vector<std::string> phone,
         std::size_t calls,
         std::string method,
         const std::string& floor,
         const std::string& log)
        : phone_{phone, log}, floor_{floor_command(phone, floor), log}, count_{calls},
          method_{method == "-" ? "" : std::move(method)} {}

    ~Kept() {
        phone_.kill_with_child();
        floor_.kill_with_child();
    }

    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    void run(int kills) {
        phone_.start();
        caller_.wait_for_phone();
        floor_.start();
        for (int i = 0; i < kills; ++i) {
            while (calls_.size() < count_) {
                dial();
            }
            settle();
            count_packets(i > 0);
            kill_phone(i % 2 == 0);
            if (i % 4 == 0) {
                kill_floor();
            }
        }
        settle();
        count_packets(kills > 0);
        print();
    }

private:
    static std::vector<std::string> floor_command(const std::vector<std::string>& phone,
                                                  const std::string& floor) {
        const auto end = std::ranges::find(phone, "--");
        std::vector<std::string> result{phone.begin(), end};
        result.insert(result.end(), {"--", floor, "127.0.0.2", "16001"});
        return result;
    }

    void dial() {
        Call call;
        call.leg = caller_.dial();
        const int port = ::ntohs(call.leg.to.sin_port);
        calls_.insert_or_assign(port, std::move(call));
        first_ = calls_.contains(first_) ? first_ : port;
    }

    // The dialogs are resumed and packets flow in their slots.
    void settle() {
        std::unordered_map<int, std::int64_t> enough;
        for (const auto& [port, call] : calls_) {
            enough[port] = call.stream.packets() + 3;
        }
        until(second, [&] {
            return std::ranges::all_of(enough, [&](const auto& e) {
                return calls_[e.first].stream.packets() >= e.second;
            });
        });
    }

    // What the kill has cost is known when packets flow again.
    void count_packets(bool after_kill) {
        std::int64_t lost = gone_lost_;
        std::int64_t twice = gone_twice_;
        for (const auto& [port, call] : calls_) {
            lost += call.stream.lost();
            twice += call.stream.twice();
        }
        if (after_kill) {
            numbers_.lost.push_back(static_cast<double>(lost - lost_));
            numbers_.twice.push_back(static_cast<double>(twice - twice_));
        }
        lost_ = lost;
        twice_ = twice;
    }

    void kill_phone(bool before_packet) {
        std::uniform_int_distribution<Ns> phase{0, ptime};
        const Ns delay = before_packet ? 2 * ptime - 2 * ms : ptime + phase(random_);
        const Ns moment = calls_[first_].stream.last() + delay;
        until(moment - now(), [] { return false; });
        for (auto& [port, call] : calls_) {
            call.rtp = call.invite = call.answer = call.ack = 0;
        }
        asked_ = 0;
        gone_ = never; // what comes before the process is gone is not the first packet after
        const Ns killed = kill_child_of(phone_.pid());
        const Ns gone = now();
        if (!method_.empty()) {
            caller_.send(calls_[first_].leg.next(method_));
        }
        drain();
        gone_ = gone;
        const bool all = until(10 * second, [this] { return back(); });
        const Ns rtp = calls_[first_].rtp;
        numbers_.back.push_back(rtp == 0 ? -1 : in_ms(rtp - killed));
        if (!all) {
            ++numbers_.unanswered;
            return;
        }
        const auto add = [killed](std::vector<double>& to, Ns time) {
            to.push_back(in_ms(time - killed));
        };
        add(numbers_.gone, gone);
        if (!method_.empty()) {
            add(numbers_.asked, asked_);
        }
        if (method_ == "BYE") {
            forget_first();
            return;
        }
        const Call& first = calls_[first_];
        add(before_packet ? numbers_.ready : numbers_.first_rtp, first.rtp);
        add(numbers_.invite, first.invite);
        add(numbers_.answered, first.answer);
        add(numbers_.acknowledged, first.ack);
    }

    [[nodiscard]] bool back() const {
        if (method_ == "BYE") {
            return asked_ != 0;
        }
        return (method_.empty() || asked_ != 0) &&
               std::ranges::all_of(calls_, [](const auto& call) {
                   return call.second.ack != 0 && call.second.rtp != 0;
               });
    }

    // What it sent before it read the BYE counts.
    void forget_first() {
        gone_lost_ += calls_[first_].stream.lost();
        gone_twice_ += calls_[first_].stream.twice();
        calls_.erase(first_);
    }

    void kill_floor() {
        if (!until(5 * second, [this] { return floor_time_ != 0; })) {
            give_up("the floor program did not start");
        }
        floor_time_ = 0;
        const Ns killed = kill_child_of(floor_.pid());
        if (until(5 * second, [this] { return floor_time_ != 0; })) {
            numbers_.floor.push_back(in_ms(floor_time_ - killed));
        }
    }

    template <typename Done>
    bool until(Ns longest, const Done& done) {
        const std::array fds{sip_.fd(), rtp_.fd(), main_.fd()};
        const Ns end = now() + longest;
        while (!done()) {
            if (now() >= end) {
                return false;
            }
            wait_readable(fds, std::min(end, speech_));
            drain();
            speak();
        }
        return true;
    }

    void speak() {
        if (now() < speech_) {
            return;
        }
        speech_ = std::max(speech_ + ptime, now());
        for (auto& [port, call] : calls_) {
            call.leg.speak(rtp_);
        }
    }

    void drain() {
        while (const auto got = rtp_.receive()) {
            const auto call = calls_.find(::ntohs(got->from.sin_port));
            if (call == calls_.end() || got->data.size() < 12) {
                continue;
            }
            call->second.stream.take(*got);
            if (call->second.rtp == 0 && got->time > gone_) {
                call->second.rtp = got->time;
            }
        }
        while (const auto got = main_.receive()) {
            floor_time_ = got->time;
        }
        while (const auto got = sip_.receive()) {
            take_sip(*got);
        }
    }

    void take_sip(const Datagram& packet) {
        const Message message{packet.data};
        if (message.is_response()) {
            const std::string cseq = message.value("CSeq");
            if (asked_ == 0 && message.status() >= 200 && cseq.ends_with(" " + method_)) {
                asked_ = packet.time;
                numbers_.denied += message.status() == 200 ? 0 : 1;
            }
            return;
        }
        const std::string id = message.value("Call-ID");
        const auto call = std::ranges::find_if(
            calls_, [&](const auto& c) { return c.second.leg.last.call_id == id; });
        if (message.is("INVITE")) {
            sip_.send(response(message, "200 OK", "peer", audio_sdp(16000)), packet.from);
            if (call != calls_.end() && call->second.invite == 0) {
                call->second.invite = packet.time;
                call->second.answer = now();
            }
        } else if (message.is("ACK")) {
            if (call != calls_.end() && call->second.ack == 0) {
                call->second.ack = packet.time;
            }
        } else {
            sip_.send(response(message, "200 OK", "peer", {}), packet.from);
        }
    }

    void print() const {
        std::int64_t packets = 0;
        std::int64_t others = 0;
        for (const auto& [port, call] : calls_) {
            packets += call.stream.packets();
            others += call.stream.others();
        }
        std::printf("{");
        print_numbers("gone_ms", numbers_.gone, ", ");
        print_numbers("first_rtp_ms", numbers_.first_rtp, ", ");
        print_numbers("ready_ms", numbers_.ready, ", ");
        print_numbers("invite_ms", numbers_.invite, ", ");
        print_numbers("answered_ms", numbers_.answered, ", ");
        print_numbers("ack_ms", numbers_.acknowledged, ", ");
        print_numbers("asked_ms", numbers_.asked, ", ");
        print_numbers("floor_ms", numbers_.floor, ", ");
        print_numbers("lost", numbers_.lost, ", ");
        print_numbers("twice", numbers_.twice, ", ");
        print_numbers("back_ms", numbers_.back, ", ");
        std::printf(
            "\"packets\": %lld, \"other_ssrc\": %lld, \"unanswered\": %d, \"denied\": %d}\n",
            static_cast<long long>(packets), static_cast<long long>(others), numbers_.unanswered,
            numbers_.denied);
    }

    Udp sip_{"127.0.0.2", 5060};
    Udp rtp_{"127.0.0.2", 16000};
    Udp main_{"127.0.0.2", 16001};
    Caller caller_{sip_};
    Child phone_;
    Child floor_;
    std::size_t count_;
    std::string method_;
    std::unordered_map<int, Call> calls_; // by the phone's RTP port
    int first_ = 0;
    Numbers numbers_;
    std::mt19937_64 random_{std::random_device{}()};
    Ns gone_ = 0, asked_ = 0, floor_time_ = 0, speech_ = now();
    std::int64_t lost_ = 0, twice_ = 0, gone_lost_ = 0, gone_twice_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 8) {
        give_up("usage: kept COUNT CALLS METHOD FLOOR LOG -- KEEPER OPTION... -- PHONE "
                "ARGUMENT...");
    }
    Kept{after_dashes(argc, argv), static_cast<std::size_t>(std::atoi(argv[2])), argv[3], argv[4],
         argv[5]}
        .run(std::atoi(argv[1]));
    return 0;
}
