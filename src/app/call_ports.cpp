#include "app/call_ports.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include "app/keeper_link.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::app {

base::Result<call::Endpoint>
CallPorts::open(call::Number call, const std::string& address, std::uint16_t port) {
    if (auto held = keeping_->take_ports(call)) {
        return media_->adopt(call, std::move(held->rtp), std::move(held->rtcp));
    }
    auto opened = media_->open(call, address, port);
    if (const auto sockets = media_->sockets(call); opened && sockets) {
        keeping_->hold_ports(call, sockets->rtp, sockets->rtcp);
    }
    return opened;
}

void CallPorts::close(call::Number call) {
    media_->close(call);
    keeping_->drop_ports(call);
}

} // namespace revenant::app
