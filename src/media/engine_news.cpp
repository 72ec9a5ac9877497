// What the media thread tells, and whom it is told to.
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "media/real_engine.hpp"
#include "media/rtp/sockets.hpp"
#include "media/session.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::media {

void RealEngine::take_notices() {
    server_.notices().clear();
    Notice* next = server_.notices().take();
    while (next != nullptr) {
        Notice& notice = *next;
        next = notice.next;
        const int error = notice.error;
        notice.under_way.store(false, std::memory_order_release);
        switch (notice.kind) {
        case Notice::Kind::first_packet:
            undelivered_.push_back({.call = notice.session->call(), .kind = News::Kind::heard});
            break;
        case Notice::Kind::first_sent:
            undelivered_.push_back({.call = notice.session->call(), .kind = News::Kind::sending});
            break;
        case Notice::Kind::moved: note_moved(*notice.session); break;
        case Notice::Kind::source_failed:
        case Notice::Kind::sink_failed:
            undelivered_.push_back(
                {.call = notice.session->call(),
                 .kind = News::Kind::trouble,
                 .trouble = fmt::format("the {} failed: {}",
                                        notice.kind == Notice::Kind::source_failed
                                            ? "source, the peer hears silence"
                                            : "sink, nothing is recorded any more",
                                        std::strerror(error))}); // NOLINT(concurrency-mt-unsafe)
            break;
        case Notice::Kind::retired: retire(*notice.session); break;
        case Notice::Kind::command_done: {
            const std::unique_ptr<Command> done{notice.command};
            break;
        }
        }
    }
}

void RealEngine::note_moved(const Session& session) {
    const auto found = calls_.find(session.call());
    const auto agreed =
        found == calls_.end() ? std::nullopt : Address::parse(found->second.media.remote);
    const auto from = agreed ? session.slot().latch(*agreed) : std::nullopt;
    if (from && !(*from == *agreed)) { // else it is back already
        undelivered_.push_back(
            {.call = session.call(), .kind = News::Kind::moved, .from = from->endpoint()});
    }
}

void RealEngine::deliver() {
    // A callback may close calls or cause more news, which then wait for the next turn.
    const auto tell = [](const auto& callback, const auto&... what) {
        if (callback) {
            callback(what...);
        }
    };
    for (const News& news : std::exchange(undelivered_, {})) {
        if (!calls_.contains(news.call)) {
            continue;
        }
        switch (news.kind) {
        case News::Kind::heard: tell(on_first_packet, news.call); break;
        case News::Kind::sending: tell(on_sending, news.call); break;
        case News::Kind::moved: tell(on_moved, news.call, news.from); break;
        case News::Kind::trouble: tell(on_trouble, news.call, news.trouble); break;
        }
    }
}

} // namespace revenant::media
