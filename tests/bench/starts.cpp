// How long from exec to the first INVITE on the wire, and to the floor program's main, in turn:
// starts COUNT FLOOR LOG -- PHONE ARGUMENT...
#include "message.hpp"
#include "tools.hpp"

using namespace bench;

namespace {

// The phone is refused and ends by itself, so that each start finds a clean state directory.
double invite_of(Child& phone, Udp& sip) {
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
        give_up("usage: starts COUNT FLOOR LOG -- PHONE ARGUMENT...");
    }
    Udp sip{"127.0.0.2", 5060};
    Udp said{"127.0.0.2", 16001};
    Child phone{after_dashes(argc, argv), argv[3]};
    Child floor{{argv[2], "127.0.0.2", "16001"}, argv[3]};
    std::vector<double> invites;
    std::vector<double> mains;
    for (int i = 0; i < std::atoi(argv[1]); ++i) {
        invites.push_back(invite_of(phone, sip));
        mains.push_back(main_of(floor, said));
    }
    std::printf("{");
    print_numbers("invite_ms", invites, ", ");
    print_numbers("floor_ms", mains, "}\n");
    return std::ranges::count(invites, -1.0) == 0 ? 0 : 1;
}
