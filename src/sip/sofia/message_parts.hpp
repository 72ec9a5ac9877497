// The bytes of a msghdr, which the stack keeps in several parts, and what its text says.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "revenant/base/text.hpp"

namespace revenant::sip {

inline std::size_t size_of(const msghdr& message) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
        size += message.msg_iov[i].iov_len;
    }
    return size;
}

// The first part, `size` bytes of it at most.
inline std::string_view beginning_of(const msghdr& message, std::size_t size) {
    if (message.msg_iovlen == 0) {
        return {};
    }
    const iovec& part = message.msg_iov[0];
    return {static_cast<const char*>(part.iov_base), std::min(part.iov_len, size)};
}

// The first `size` bytes, or what there is.
inline std::string gather(const msghdr& message, std::size_t size) {
    std::string all;
    for (std::size_t i = 0; i < message.msg_iovlen && all.size() < size; ++i) {
        const iovec& part = message.msg_iov[i];
        all.append(static_cast<const char*>(part.iov_base),
                   std::min(part.iov_len, size - all.size()));
    }
    return all;
}

// From `name` to the first character of `end`; empty if it is not there. The stack writes its
// header fields with their full names, one a line.
inline std::string_view
part_after(std::string_view text, std::string_view name, std::string_view end) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = text.substr(at + name.size());
    return base::trim({rest.begin(), std::ranges::find_first_of(rest, end)});
}

// `name` with the line end before it and the colon behind it.
inline std::string_view header_line(std::string_view message, std::string_view name) {
    return part_after(message, name, "\r\n");
}

// What does not fit is lost.
inline void scatter(std::string_view bytes, const msghdr& message) {
    for (std::size_t i = 0; i < message.msg_iovlen && !bytes.empty(); ++i) {
        const iovec& part = message.msg_iov[i];
        bytes.copy(static_cast<char*>(part.iov_base), part.iov_len);
        bytes.remove_prefix(std::min(part.iov_len, bytes.size()));
    }
}

} // namespace revenant::sip
