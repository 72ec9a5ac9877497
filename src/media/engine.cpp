// The main thread's half of the RTP edge: binds, maps, opens files, and hands finished sessions to
// the media thread (server.hpp).
#include "revenant/media/engine.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <utility>

#include <poll.h>

#include <fmt/format.h>

#include "media/plan.hpp"
#include "media/real_engine.hpp"
#include "media/rtp/page.hpp"
#include "media/rtp/sockets.hpp"
#include "media/server.hpp"
#include "media/session.hpp"
#include "media/statistics.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/disk_wait.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/source.hpp"

namespace revenant::media {

using base::Errc;

namespace {

base::Error no_such_call(call::Number call) {
    return {.code = Errc::not_found, .context = fmt::format("call {} has no media", call)};
}

} // namespace

// ---- sockets

base::Status RealEngine::begin(call::Number number) {
    settle(); // a call that was just closed has its port for a moment longer
    if (calls_.contains(number)) {
        return base::fail(Errc::in_use, fmt::format("call {} has its RTP ports already", number));
    }
    // What an earlier call of this number has left is not this one's.
    std::erase_if(ended_, [&](const Ended& ended) { return ended.call == number; });
    std::erase_if(undelivered_, [&](const News& news) { return news.call == number; });
    return {};
}

base::Result<SocketPair> RealEngine::bind_any(const std::string& address) {
    const std::uint32_t first = (settings_.port_min + 1U) / 2;
    const std::uint32_t pairs =
        settings_.port_max < first * 2 + 1 ? 0 : (settings_.port_max - first * 2 + 1U) / 2;
    for (std::uint32_t i = 0; i < pairs; ++i) {
        const auto port = static_cast<std::uint16_t>((first + next_pair_++ % pairs) * 2);
        auto bound = bind_pair(address, port);
        if (bound || bound.error().code != Errc::in_use) {
            return bound;
        }
    }
    return base::fail(Errc::in_use, fmt::format("no free pair of RTP ports between {} and {}",
                                                settings_.port_min, settings_.port_max));
}

base::Result<call::Endpoint>
RealEngine::open(call::Number number, const std::string& address, std::uint16_t port) {
    if (auto possible = begin(number); !possible) {
        return base::fail(possible.error());
    }
    auto bound = port == 0 ? bind_any(address) : bind_pair(address, port);
    if (!bound) {
        return base::fail(bound.error());
    }
    const std::uint16_t bound_port = bound->port;
    calls_[number].sockets = std::move(*bound);
    return call::Endpoint{.address = address, .port = bound_port};
}

base::Result<call::Endpoint> RealEngine::adopt(call::Number number, base::Fd rtp, base::Fd rtcp) {
    if (auto possible = begin(number); !possible) {
        return base::fail(possible.error());
    }
    Call entry;
    entry.sockets = {.rtp = std::move(rtp), .rtcp = std::move(rtcp), .port = 0};
    auto local = adopt_pair(entry.sockets);
    if (local) {
        calls_.emplace(number, std::move(entry));
    }
    return local;
}

std::optional<Engine::SocketNumbers> RealEngine::sockets(call::Number number) const {
    const auto found = calls_.find(number);
    if (found == calls_.end()) {
        return std::nullopt;
    }
    return SocketNumbers{.rtp = found->second.sockets.rtp.get(),
                         .rtcp = found->second.sockets.rtcp.get()};
}

// ---- running

// A file that is gone must not take the call with it: it is reported, and the call goes on.
void RealEngine::open_files(
    call::Number number, const Call& call, const call::Media& media, bool continued, Plan& plan) {
    const base::DiskWait wait;
    const auto report = [&](const base::Error& error) {
        undelivered_.push_back(
            {.call = number, .kind = News::Kind::trouble, .trouble = error.context});
        server_.notices().ring();
    };
    if (plan.new_source) {
        auto source = open_source(media.source);
        if (!source) {
            report(source.error());
        }
        plan.source = source ? std::move(*source) : silent_source();
    }
    if (plan.new_sink) {
        const bool goes_on = continued && !call.session;
        auto sink = open_sink(media.sink, goes_on ? Continue::yes : Continue::no);
        if (!sink) {
            report(sink.error());
        } else {
            plan.sink = std::move(*sink);
        }
    }
}

base::Result<Slot*>
RealEngine::claim_slot(call::Number number, const call::Media& media, const Plan& plan) {
    const call::Segment& segment = media.segment;
    if (segment.real_ns == 0) {
        return base::fail(Errc::bad_input, fmt::format("call {} has no stream identity", number));
    }
    const base::Now now = base::read_clock();
    const bool is_unsure = page_->fresh() && is_older(segment, page_->opened_at());
    const Run run = first_run(segment, plan, is_unsure, next_phase_++, now);
    auto slot = page_->take(number, media.ssrc, run);
    if (slot && is_unsure) {
        (*slot)->set_origin(segment.ts);
    }
    return slot;
}

base::Status RealEngine::run(call::Number number, const call::Media& media, bool muted) {
    const auto found = calls_.find(number);
    if (found == calls_.end() || stopped_) {
        return base::fail(no_such_call(number));
    }
    Call& call = found->second;
    auto plan = make_plan(number, media);
    if (!plan) {
        return base::fail(plan.error());
    }
    plan->muted = muted;
    plan->new_source = !call.session || media.source != call.media.source;
    plan->new_sink = !call.session || media.sink != call.media.sink;
    if (call.session && call.media.ssrc != media.ssrc) {
        return base::fail(Errc::not_now,
                          fmt::format("call {} cannot change its SSRC while it runs", number));
    }
    if (call.session) {
        open_files(number, call, media, false, *plan);
        call.media = media;
        send(Command::Kind::update, *call.session, std::move(*plan));
        return {};
    }
    Slot* slot = page_->find(number, media.ssrc);
    const bool continued = slot != nullptr;
    if (!continued) {
        const auto taken = claim_slot(number, media, *plan);
        if (!taken) {
            return base::fail(taken.error());
        }
        slot = *taken;
    }
    const bool was_recording = continued || media.segment.boot_ns < page_->opened_at().boot_ns;
    open_files(number, call, media, was_recording, *plan);
    call.media = media;
    call.session =
        std::make_unique<Session>(number, call.sockets, *slot, page_->boot(), base::random_u32());
    send(Command::Kind::start, *call.session, std::move(*plan));
    return {};
}

void RealEngine::send(Command::Kind kind, Session& session, Plan plan) {
    auto command = std::make_unique<Command>();
    command->kind = kind;
    command->session = &session;
    command->plan = std::move(plan);
    server_.post(std::move(command));
}

// ---- ending

void RealEngine::close(call::Number number) {
    auto found = calls_.find(number);
    if (found == calls_.end()) {
        return;
    }
    if (found->second.session) {
        ended_.push_back({.call = number, .statistics = statistics_of(*found->second.session)});
        if (ended_.size() > ended_max) {
            ended_.pop_front();
        }
    }
    if (found->second.session && !stopped_) {
        Session* const session = found->second.session.get();
        closing_.emplace(session, std::move(found->second));
        send(Command::Kind::stop, *session, {});
    }
    calls_.erase(found);
}

void RealEngine::retire(Session& session) {
    const auto found = closing_.find(&session);
    assert(found != closing_.end());
    page_->release(&session.slot());
    closing_.erase(found);
}

// Waits until the media thread has let go of all sessions that are closed. It answers at once.
void RealEngine::settle() {
    while (!closing_.empty() && !stopped_) {
        pollfd wait{.fd = server_.notices().fd(), .events = POLLIN, .revents = 0};
        static_cast<void>(::poll(&wait, 1, 1000));
        take_notices();
    }
    if (!undelivered_.empty()) {
        server_.notices().ring();
    }
}

void RealEngine::stop_thread() {
    if (!std::exchange(stopped_, true)) {
        server_.leave();
        on_notice_.reset();
        take_notices();
    }
    closing_.clear();
    calls_.clear();
}

// ---- asking

base::Result<Statistics> RealEngine::statistics(call::Number number) const {
    const auto found = calls_.find(number);
    if (found == calls_.end() || !found->second.session) {
        return base::fail(no_such_call(number));
    }
    return statistics_of(*found->second.session);
}

std::optional<Statistics> RealEngine::final_statistics(call::Number number) const {
    const auto found = std::ranges::find(ended_, number, &Ended::call);
    return found == ended_.end() ? std::nullopt : std::optional{found->statistics};
}

std::optional<call::Segment> RealEngine::segment(call::Number number) const {
    const auto found = calls_.find(number);
    if (found == calls_.end() || !found->second.session) {
        return std::nullopt;
    }
    const auto run = found->second.session->slot().run();
    if (!run) {
        return std::nullopt;
    }
    const auto& rates = call::Segment::clock_rates;
    const auto* const rate = std::ranges::find(rates, clock_rate_of(*run));
    if (rate == rates.end()) {
        return std::nullopt; // not as any plan of ours is
    }
    return call::Segment{.seq = static_cast<std::uint16_t>(run->index),
                         .ts = run->timestamp,
                         .clock_rate = *rate,
                         .boot_ns = run->boot_ns,
                         .real_ns = run->real_ns,
                         .boot_id = base::boot_id()};
}

base::Result<std::unique_ptr<Engine>> Engine::create(const Settings& settings) {
    const base::DiskWait wait;
    auto page = Page::open(settings.page_path);
    if (!page) {
        return base::fail(page.error());
    }
    return std::make_unique<RealEngine>(settings, std::move(*page));
}

base::Result<call::Endpoint> Engine::adopt(call::Number call, base::Fd /*rtp*/, base::Fd /*rtcp*/) {
    return base::fail(Errc::unsupported,
                      fmt::format("call {}: this engine adopts no sockets", call));
}

std::optional<Engine::SocketNumbers> Engine::sockets(call::Number /*call*/) const {
    return std::nullopt;
}

std::optional<Statistics> Engine::final_statistics(call::Number /*call*/) const {
    return std::nullopt;
}

StreamIdentity new_stream() {
    const base::Now now = base::read_clock();
    StreamIdentity identity;
    identity.ssrc = base::random_u32();
    // RFC 3550 §5.1: all three random. The sequence number begins in the lower half, so that its
    // first wrap is far off (RFC 3711 §3.3.1 asks this of senders whose roll-over may be missed).
    identity.segment = {.seq = static_cast<std::uint16_t>(base::random_u32() & 0x7fffU),
                        .ts = base::random_u32(),
                        .clock_rate = pcm_rate,
                        .boot_ns = now.boot_ns,
                        .real_ns = now.real_ns,
                        .boot_id = base::boot_id()};
    return identity;
}

} // namespace revenant::media
