#include "sip/sofia/kept_message.hpp"

#include <string>
#include <utility>

#include <sys/socket.h>

#include "revenant/base/socket_address.hpp"
#include "sip/interpose/under_way.hpp"

namespace revenant::sip {

namespace {

bool leaving = false; // of the library's thread

} // namespace

KeptMessage KeptMessage::of(int fd, const msghdr& message, std::string text) {
    KeptMessage kept{.text = std::move(text), .fd = fd, .to = {}};
    if (message.msg_name != nullptr) {
        kept.to.emplace(static_cast<const sockaddr*>(message.msg_name), message.msg_namelen);
    }
    return kept;
}

void KeptMessage::send() {
    const UnderWay<bool, Nesting::allowed> under_way{leaving, true};
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    msghdr message{};
    if (to) {
        message.msg_name = to->data();
        message.msg_namelen = to->size();
    }
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    static_cast<void>(::sendmsg(fd, &message, MSG_NOSIGNAL));
}

bool KeptMessage::is_leaving() {
    return leaving;
}

} // namespace revenant::sip
