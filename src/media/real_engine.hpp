// The Engine that makes sound; engine.cpp is what the main loop asks of it, engine_news.cpp what
// the media thread tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "media/plan.hpp"
#include "media/rtp/page.hpp"
#include "media/rtp/sockets.hpp"
#include "media/server.hpp"
#include "media/session.hpp"
#include "media/statistics.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/source.hpp"
#include "revenant/media/engine.hpp"

namespace revenant::media {

struct Call {
    SocketPair sockets;
    call::Media media;                // as last given to `run`
    std::unique_ptr<Session> session; // null until `run`; the media thread uses it until retired
};

class RealEngine final : public Engine {
public:
    RealEngine(Settings settings, std::unique_ptr<Page> page)
        : settings_{std::move(settings)}, page_{std::move(page)} {
        server_.start();
        // SAFETY: the source is a member and goes away before anything that it uses.
        on_notice_ = base::on_readable(server_.notices().fd(), [this] {
            take_notices();
            deliver();
        });
    }

    RealEngine(const RealEngine&) = delete;
    RealEngine& operator=(const RealEngine&) = delete;

    // Says goodbye to nobody: a BYE is for `close`.
    ~RealEngine() override { stop_thread(); }

    base::Result<call::Endpoint>
    open(call::Number number, const std::string& address, std::uint16_t port) override;
    base::Result<call::Endpoint> adopt(call::Number number, base::Fd rtp, base::Fd rtcp) override;
    std::optional<SocketNumbers> sockets(call::Number number) const override;
    base::Status run(call::Number number, const call::Media& media, bool muted) override;
    void close(call::Number number) override;

    void detach() override { stop_thread(); }

    base::Result<Statistics> statistics(call::Number number) const override;
    std::optional<Statistics> final_statistics(call::Number number) const override;
    std::optional<call::Segment> segment(call::Number number) const override;

private:
    // What a callback of Engine is to be told.
    struct News {
        enum class Kind : std::uint8_t { heard, sending, moved, trouble };

        call::Number call = 0;
        Kind kind = Kind::heard;
        std::string trouble = {};
        call::Endpoint from = {}; // moved: where the peer is now
    };

    struct Ended {
        call::Number call = 0;
        Statistics statistics;
    };

    static constexpr std::size_t ended_max = 256;

    base::Status begin(call::Number number);
    base::Result<SocketPair> bind_any(const std::string& address);
    void open_files(call::Number number,
                    const Call& call,
                    const call::Media& media,
                    bool continued,
                    Plan& plan);
    base::Result<Slot*> claim_slot(call::Number number, const call::Media& media, const Plan& plan);
    void send(Command::Kind kind, Session& session, Plan plan);

    void take_notices();
    void deliver();
    void note_moved(const Session& session);
    void retire(Session& session);
    void settle();
    void stop_thread();

    Settings settings_;
    std::unique_ptr<Page> page_;
    std::unordered_map<call::Number, Call> calls_;
    std::unordered_map<Session*, Call> closing_; // until the media thread has let go
    std::deque<Ended> ended_;                    // the latest is the last
    std::vector<News> undelivered_;
    Server server_;
    base::Source on_notice_;
    std::uint32_t next_pair_ = base::random_u32();
    std::int64_t next_phase_ = 0;
    bool stopped_ = false;
};

} // namespace revenant::media
