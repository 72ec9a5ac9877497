// Kills the phone in a call, starts it again at once, and writes down what its peer, which we are,
// sees of that: kills COUNT FLOOR LOG [OTHER ARGUMENT...] -- PHONE ARGUMENT...
//
// We are also what a keeper or systemd would be: SIGKILL, waitpid, posix_spawn. In turn with the
// phone the floor program is killed and started in the same way, until its main is reached, and the
// other phone, which calls bob at 192.0.2.1, until its INVITE, of a new call, is there.
//
// Every other kill comes just before a packet is due: then a packet is owed when the phone is back,
// and its first packet tells when it was ready. The others come at a random moment.
#include "message.hpp"
#include "tools.hpp"

namespace {

using namespace bench;

struct Numbers {
    std::vector<double> gone, first_rtp, ready, invite, answered, acknowledged, floor, other, lost,
        repeated;
    int unanswered = 0;
};

class Kills {
public:
    Kills(std::vector<std::string> phone,
          std::vector<std::string> other,
          const std::string& floor,
          const std::string& log)
        : phone_{std::move(phone), log}, floor_{{floor, "127.0.0.2", "16001"}, log} {
        if (!other.empty()) {
            other_sip_.emplace("192.0.2.1", 5060);
            other_.emplace(std::move(other), log);
        }
    }

    int run(int count) {
        phone_.start({"-c", "call sip:bob@127.0.0.2:5060"});
        // The script's phone would quit at its end; this one is killed before.
        if (!until(5 * second, [this] { return ack_time_ != 0 && packets_ >= 5; })) {
            give_up("the call did not come about");
        }
        floor_.start();
        if (!until(5 * second, [this] { return floor_time_ != 0; })) {
            give_up("the floor program did not start");
        }
        if (other_) {
            other_->start();
            wait_for_other();
        }
        for (int i = 0; i < count; ++i) {
            kill_phone(i % 2 == 0);
            kill_floor();
            kill_other();
        }
        print();
        return numbers_.unanswered == 0 ? 0 : 1;
    }

private:
    void kill_phone(bool before_packet) {
        std::uniform_int_distribution<Ns> phase{0, 20 * ms};
        // Settled: the dialog is resumed and packets flow in their slots.
        const std::uint64_t enough = packets_ + 3;
        until(second, [&] { return packets_ >= enough; });
        const Ns delay = before_packet ? 38 * ms : 20 * ms + phase(random_);
        const Ns moment = last_rtp_ + delay;
        until(moment - now(), [] { return false; });
        invite_time_ = answer_time_ = ack_time_ = rtp_time_ = 0;
        const std::uint64_t lost = lost_;
        const std::uint64_t repeated = repeated_;
        awaited_ = false;
        const Ns killed = phone_.kill();
        drain();
        awaited_ = true; // what came before the process was gone is not the first packet after
        rtp_time_ = 0;
        const Ns started = phone_.start();
        if (!until(10 * second, [this] { return ack_time_ != 0 && rtp_time_ != 0; })) {
            ++numbers_.unanswered;
            return;
        }
        numbers_.gone.push_back(in_ms(started - killed));
        numbers_.first_rtp.push_back(in_ms(rtp_time_ - killed));
        if (before_packet) {
            numbers_.ready.push_back(in_ms(rtp_time_ - killed));
        }
        numbers_.invite.push_back(in_ms(invite_time_ - killed));
        numbers_.answered.push_back(in_ms(answer_time_ - killed));
        numbers_.acknowledged.push_back(in_ms(ack_time_ - killed));
        numbers_.lost.push_back(static_cast<double>(lost_ - lost));
        numbers_.repeated.push_back(static_cast<double>(repeated_ - repeated));
    }

    void kill_floor() {
        floor_time_ = 0;
        const Ns killed = floor_.kill();
        floor_.start();
        if (until(5 * second, [this] { return floor_time_ != 0; })) {
            numbers_.floor.push_back(in_ms(floor_time_ - killed));
        }
    }

    void kill_other() {
        if (!other_) {
            return;
        }
        const Ns killed = other_->kill();
        while (other_sip_->receive()) { // of the old process
        }
        other_->start();
        if (const Ns seen = wait_for_other(); seen != 0) {
            numbers_.other.push_back(in_ms(seen - killed));
        }
    }

    // When its INVITE came, or 0.
    Ns wait_for_other() {
        const std::array fds{other_sip_->fd()};
        for (const Ns end = now() + 5 * second; now() < end;) {
            wait_readable(fds, std::min(end, now() + 20 * ms));
            drain();
            while (const auto got = other_sip_->receive()) {
                const Message message{got->data};
                if (message.is("INVITE")) {
                    other_sip_->send(response(message, "486 Busy Here", "peer", {}), got->from);
                    return got->time;
                }
            }
        }
        return 0;
    }

    template <typename Done>
    bool until(Ns longest, const Done& done) {
        const std::array fds{sip_.fd(), rtp_.fd(), main_.fd()};
        const Ns end = now() + longest;
        while (!done()) {
            if (now() >= end) {
                return false;
            }
            wait_readable(fds, end);
            drain();
        }
        return true;
    }

    void drain() {
        while (const auto got = rtp_.receive()) {
            take_rtp(*got);
        }
        while (const auto got = main_.receive()) {
            floor_time_ = got->time;
        }
        while (const auto got = sip_.receive()) {
            take_sip(*got);
        }
    }

    void take_rtp(const Datagram& packet) {
        if (packet.data.size() < 12) {
            return;
        }
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(packet.data[i]); };
        const auto sequence = static_cast<std::uint16_t>(byte(2) << 8 | byte(3));
        const auto step = static_cast<std::int16_t>(sequence - last_sequence_);
        if (packets_ > 0 && step <= 0) {
            ++repeated_;
            return;
        }
        if (packets_ > 0) {
            lost_ += static_cast<std::uint64_t>(step - 1);
        }
        last_sequence_ = sequence;
        last_rtp_ = packet.time;
        ++packets_;
        if (awaited_ && rtp_time_ == 0) {
            rtp_time_ = packet.time;
        }
    }

    void take_sip(const Datagram& packet) {
        const Message message{packet.data};
        if (message.is("INVITE")) {
            if (invite_time_ == 0) {
                invite_time_ = packet.time;
            }
            sip_.send(response(message, "200 OK", "peer", audio_sdp(16000)), packet.from);
            answer_time_ = answer_time_ == 0 ? now() : answer_time_;
        } else if (message.is("ACK")) {
            ack_time_ = ack_time_ == 0 ? packet.time : ack_time_;
        } else if (!message.is_response()) {
            sip_.send(response(message, "200 OK", "peer", {}), packet.from);
        }
    }

    void print() const {
        std::printf("{");
        print_numbers("gone_ms", numbers_.gone, ", ");
        print_numbers("first_rtp_ms", numbers_.first_rtp, ", ");
        print_numbers("ready_ms", numbers_.ready, ", ");
        print_numbers("invite_ms", numbers_.invite, ", ");
        print_numbers("answered_ms", numbers_.answered, ", ");
        print_numbers("ack_ms", numbers_.acknowledged, ", ");
        print_numbers("floor_ms", numbers_.floor, ", ");
        print_numbers("other_ms", numbers_.other, ", ");
        print_numbers("lost", numbers_.lost, ", ");
        print_numbers("repeated", numbers_.repeated, ", ");
        std::printf("\"unanswered\": %d}\n", numbers_.unanswered);
    }

    Udp sip_{"127.0.0.2", 5060};
    Udp rtp_{"127.0.0.2", 16000};
    Udp main_{"127.0.0.2", 16001};
    Child phone_;
    Child floor_;
    std::optional<Udp> other_sip_;
    std::optional<Child> other_;
    Numbers numbers_;
    std::mt19937_64 random_{std::random_device{}()};
    Ns invite_time_ = 0, answer_time_ = 0, ack_time_ = 0, rtp_time_ = 0, floor_time_ = 0;
    Ns last_rtp_ = 0;
    bool awaited_ = true;
    std::uint16_t last_sequence_ = 0;
    std::uint64_t packets_ = 0, lost_ = 0, repeated_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        give_up("usage: kills COUNT FLOOR LOG [OTHER ARGUMENT...] -- PHONE ARGUMENT...");
    }
    return Kills{after_dashes(argc, argv), before_dashes(argc, argv, 4), argv[2], argv[3]}.run(
        std::atoi(argv[1]));
}
