// The RTP ports of calls: bound by the media engine, and held by whoever outlives the phone.
#pragma once

#include <cstdint>
#include <string>

#include "app/keeper_link.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::app {

class CallPorts {
public:
    // Both borrowed; they outlive the ports.
    CallPorts(media::Engine& media, Keeping& keeping) : media_{&media}, keeping_{&keeping} {}

    // A call's RTP and RTCP socket: held ones if there are, else new ones, which are then handed
    // over to be held. `port` 0: any. Fails with Errc::in_use.
    [[nodiscard]] base::Result<call::Endpoint>
    open(call::Number call, const std::string& address, std::uint16_t port);

    // Ends the call's media session and lets go of the copies.
    void close(call::Number call);

private:
    media::Engine* media_;
    Keeping* keeping_;
};

} // namespace revenant::app
