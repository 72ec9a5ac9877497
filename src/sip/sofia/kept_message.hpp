// A message that the stack was about to send, kept to be sent later as it would have been.
#pragma once

#include <optional>
#include <string>

#include <sys/socket.h>

#include "revenant/base/socket_address.hpp"

namespace revenant::sip {

struct KeptMessage {
    std::string text;
    int fd = -1;
    std::optional<base::SocketAddress> to; // none: a connection

    [[nodiscard]] static KeptMessage of(int fd, const msghdr& message, std::string text);

    // By `sendmsg`, and so by what stands in front of it. Lost or not: the stack repeats what is of
    // weight over UDP, or is asked for it again.
    void send();

    friend bool operator==(const KeptMessage&, const KeptMessage&) = default;

    // Within `send`: who writes into a stream has to see to it that it gets all of it.
    [[nodiscard]] static bool is_leaving();
};

} // namespace revenant::sip
