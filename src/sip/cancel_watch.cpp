#include "sip/cancel_watch.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/text.hpp"

namespace revenant::sip {

namespace {

std::function<void(std::string_view)>& listener() {
    static std::function<void(std::string_view)> one;
    return one;
}

// The value of a header field as the stack writes it; empty if there is none.
std::string_view field(std::string_view message, std::string_view name) {
    const std::size_t at = message.find(name);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::size_t begin = at + name.size();
    return base::trim(message.substr(begin, message.find("\r\n", begin) - begin));
}

bool starts_with(const msghdr& message, std::string_view text) {
    if (message.msg_iovlen == 0) {
        return false;
    }
    const iovec& part = message.msg_iov[0];
    return std::string_view{static_cast<const char*>(part.iov_base), part.iov_len}.starts_with(
        text);
}

} // namespace

void before_cancel_answer(std::function<void(std::string_view call_id)> told) {
    listener() = std::move(told);
}

void watch_for_cancel_answer(const msghdr& message) {
    if (!listener() || !starts_with(message, "SIP/2.0 200")) {
        return;
    }
    std::string text;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
        const iovec& part = message.msg_iov[i];
        text.append(static_cast<const char*>(part.iov_base), part.iov_len);
    }
    if (field(text, "\r\nCSeq:").ends_with(" CANCEL")) {
        base::at_boundary("CANCEL", [&] { listener()(field(text, "\r\nCall-ID:")); });
    }
}

} // namespace revenant::sip
