// The floor under every start of the phone: a program that is linked with the same libraries and
// does nothing with them. It says with one datagram that its main was reached, and stays.
#include <cstdint>
#include <cstdlib>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    if (argc != 3 || fd < 0 || ::inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
        return 2;
    }
    to.sin_port = ::htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
    // SAFETY: a sockaddr_in is read as what it is.
    if (::sendto(fd, "main", 4, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 4) {
        return 1;
    }
    ::pause();
    return 0;
}
