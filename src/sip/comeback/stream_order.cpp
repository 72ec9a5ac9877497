#include "sip/comeback/stream_order.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sys/socket.h>
#include <sys/types.h>

#include "revenant/base/source.hpp"
#include "sip/sofia/message_parts.hpp"

namespace revenant::sip {

namespace {

// Of a peer that reads nothing no more is kept; the stack closes the connection when it is shut.
constexpr std::size_t kept_max = std::size_t{128} * 1024;

struct Stream {
    std::size_t of_stack = 0; // bytes of the message that it has given in part
    std::string kept;         // ours, and what the stack has said since
    stream_order::Send send = nullptr;
    base::Source writable;
};

std::unordered_map<int, Stream>& streams() {
    static std::unordered_map<int, Stream> all;
    return all;
}

void write_kept(int fd);

void write_when_there_is_room(int fd, Stream& stream) {
    if (!stream.writable) {
        // SAFETY: the source goes with the stream, which goes before its descriptor is closed.
        stream.writable = base::on_writable(fd, [fd] { write_kept(fd); });
    }
}

void write_kept(int fd) {
    const auto found = streams().find(fd);
    if (found == streams().end() || found->second.of_stack > 0) {
        return;
    }
    Stream& stream = found->second;
    iovec part{.iov_base = stream.kept.data(), .iov_len = stream.kept.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t taken = stream.send(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0 && errno != EAGAIN && errno != EINTR) {
        streams().erase(found); // the stack will hear of it
        return;
    }
    stream.kept.erase(0, static_cast<std::size_t>(std::max<ssize_t>(taken, 0)));
    if (stream.kept.empty()) {
        streams().erase(found);
    } else {
        write_when_there_is_room(fd, stream);
    }
}

void keep(int fd, std::string_view message) {
    Stream& stream = streams()[fd];
    if (stream.kept.size() + message.size() > kept_max) {
        ::shutdown(fd, SHUT_RDWR);
        return;
    }
    stream.kept += message;
}

} // namespace

void stream_order::write(int fd, std::string_view message, Send send) {
    keep(fd, message);
    streams()[fd].send = send;
    write_kept(fd);
}

bool stream_order::keeps(int fd, const msghdr& message) {
    const auto found = streams().find(fd);
    if (found == streams().end() || found->second.of_stack > 0 || found->second.kept.empty()) {
        return false;
    }
    keep(fd, gather(message, size_of(message)));
    return true;
}

void stream_order::written(int fd, ssize_t taken, std::size_t size) {
    const std::size_t left = size - static_cast<std::size_t>(std::max<ssize_t>(taken, 0));
    const auto found = streams().find(fd);
    if (found == streams().end()) {
        if (taken > 0 && left > 0) {
            streams()[fd].of_stack = left;
        }
        return;
    }
    if (found->second.of_stack > 0 || taken > 0) {
        found->second.of_stack = left;
    }
    if (found->second.of_stack > 0) {
        return;
    }
    if (found->second.kept.empty()) {
        streams().erase(found);
    } else {
        write_kept(fd);
    }
}

bool stream_order::is_within_message(int fd) {
    const auto found = streams().find(fd);
    return found != streams().end() && found->second.of_stack > 0;
}

void stream_order::closed(int fd) {
    streams().erase(fd);
}

} // namespace revenant::sip
