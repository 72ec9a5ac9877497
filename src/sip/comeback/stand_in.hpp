// The stand-in: plays the peer of a restored dialog towards our own SIP stack, from the record.
// Whatever the stack sends while the dialog is quarantined ends here.
//
// It has a socket on loopback for an address of its own, and to answer from; what is sent to that
// address by the stack is handed over without one (held_sockets.hpp), and nobody else is heard.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/sofia/our_dialogs.hpp"

namespace revenant::sip {

class StandIn {
public:
    // `family` is AF_INET or AF_INET6: the stack sends from sockets of one family only. `name` goes
    // into Server; the caller recognises the stand-in's answers by it, so it must be a secret of
    // this process.
    [[nodiscard]] static base::Result<std::unique_ptr<StandIn>>
    open(int family, std::string name, DialogLookup lookup);

    // What NUTAG_PROXY takes.
    [[nodiscard]] const std::string& url() const { return url_; }

    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;
    ~StandIn();

private:
    StandIn(base::Fd socket,
            const base::SocketAddress& address,
            std::string name,
            DialogLookup lookup);
    void hear(std::string_view message, const base::SocketAddress& from) const;
    [[nodiscard]] std::string answer(std::string_view text) const;

    base::Fd socket_;
    base::SocketAddress address_;
    std::string url_;
    std::string name_;
    DialogLookup lookup_;
};

} // namespace revenant::sip
