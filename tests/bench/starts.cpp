// How long from exec to the first INVITE on the wire, and to the floor program's main, in turn, and
// of another phone that calls bob at 192.0.2.1: starts COUNT FLOOR LOG [OTHER ARGUMENT...] -- PHONE
// ARGUMENT...
#include "message.hpp"
#include "tools.hpp"

using namespace bench;

namespace {

// The phone is refused and ends by itself, so that each start finds a clean state directory. The
// other one need not.
double invite_of(Child& phone, Udp& sip, bool ends_by_itself = true) {
    const Ns begin = phone.start();
    Ns seen = 0;
    const std::array fds{sip.fd()};
    for (const Ns end = begin + 5 * second; phone.running() && now() < end;) {
        wait_readable(fds, std::min(end, now() + 20 * ms));
        while (const auto got = sip.receive()) {
            const Message message{got->data};
            if (message.is("INVITE")) {
                seen = seen == 0 ? got->time : seen;
                sip.send(response(message, "486 Busy Here", "peer", {}), got->from);
            }
        }
        if (seen != 0 && !ends_by_itself) {
            break;
        }
    }
    phone.kill();
    return seen == 0 ? -1.0 : in_ms(seen - begin);
}

double main_of(Child& floor, Udp& said) {
    const Ns begin = floor.start();
    const std::array fds{said.fd()};
    wait_readable(fds, begin + 5 * second);
    const auto got = said.receive();
    floor.kill();
    return got ? in_ms(got->time - begin) : -1.0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        give_up("usage: starts COUNT FLOOR LOG [OTHER ARGUMENT...] -- PHONE ARGUMENT...");
    }
    Udp sip{"127.0.0.2", 5060};
    Udp said{"127.0.0.2", 16001};
    Child phone{after_dashes(argc, argv), argv[3]};
    Child floor{{argv[2], "127.0.0.2", "16001"}, argv[3]};
    std::vector<double> invites;
    std::vector<double> mains;
    std::vector<double> others;
    std::optional<Udp> other_sip;
    std::optional<Child> other;
    if (std::vector<std::string> command = before_dashes(argc, argv, 4); !command.empty()) {
        other_sip.emplace("192.0.2.1", 5060);
        other.emplace(std::move(command), argv[3]);
    }
    for (int i = 0; i < std::atoi(argv[1]); ++i) {
        invites.push_back(invite_of(phone, sip));
        mains.push_back(main_of(floor, said));
        if (other) {
            others.push_back(invite_of(*other, *other_sip, false));
        }
    }
    std::printf("{");
    print_numbers("invite_ms", invites, ", ");
    print_numbers("other_ms", others, ", ");
    print_numbers("floor_ms", mains, "}\n");
    return std::ranges::count(invites, -1.0) == 0 ? 0 : 1;
}
