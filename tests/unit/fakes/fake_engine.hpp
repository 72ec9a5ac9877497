// Media that make no sound: which sessions are open, and what they were last told.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::media {

class FakeEngine final : public Engine {
public:
    struct Session {
        call::Endpoint local;
        bool running = false;
        bool muted = false;
        call::Media media;
    };

    std::map<call::Number, Session> sessions;
    std::map<call::Number, Statistics> last; // of closed ones
    bool ports_left = true;
    bool is_gap_known = true; // of the streams that go on

    [[nodiscard]] base::Result<call::Endpoint>
    open(call::Number call, const std::string& address, std::uint16_t port) override {
        if (!ports_left) {
            return base::fail(base::Errc::in_use, "every RTP port is in use");
        }
        const auto any = static_cast<std::uint16_t>(20000 + call * 2);
        const call::Endpoint local{.address = address, .port = port != 0 ? port : any};
        sessions[call] = {.local = local, .running = false, .muted = false, .media = {}};
        return local;
    }

    [[nodiscard]] base::Status
    run(call::Number call, const call::Media& media, bool muted) override {
        const auto found = sessions.find(call);
        if (found == sessions.end()) {
            return base::fail(base::Errc::not_found, "no such session");
        }
        found->second.running = true;
        found->second.muted = muted;
        found->second.media = media;
        return {};
    }

    void close(call::Number call) override {
        if (sessions.erase(call) > 0) {
            Statistics& statistics = last[call];
            statistics.packets_sent = 12;
            statistics.packets_received = 11;
            statistics.packets_lost = 1;
        }
    }

    [[nodiscard]] std::optional<Statistics> final_statistics(call::Number call) const override {
        const auto found = last.find(call);
        return found != last.end() ? std::optional{found->second} : std::nullopt;
    }

    void detach() override {}

    [[nodiscard]] base::Result<Statistics> statistics(call::Number call) const override {
        if (!sessions.contains(call)) {
            return base::fail(base::Errc::not_found, "no such session");
        }
        Statistics statistics;
        statistics.is_resuming = !is_gap_known;
        statistics.gap_ms = is_gap_known ? 60 : 0;
        statistics.packets_missed = is_gap_known ? 3 : 0;
        return statistics;
    }

    [[nodiscard]] std::optional<call::Segment> segment(call::Number /*call*/) const override {
        return std::nullopt;
    }
};

} // namespace revenant::media
