// An engine with one call that runs, and its peer.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "revenant/call/dialog.hpp"
#include "revenant/media/engine.hpp"
#include "unit/fakes/media_peer.hpp"

namespace revenant::media::test {

inline constexpr call::Number one = 1;

struct Running {
    Folder folder;
    Peer peer;
    std::unique_ptr<Engine> engine = make_engine(folder);
    call::Endpoint local;

    call::Media start(std::string source = "silence", std::string sink = "null") {
        auto media = media_to(peer, std::move(source), std::move(sink));
        local = engine->open(one, "127.0.0.1", 0).value();
        REQUIRE(engine->run(one, media, false));
        return media;
    }

    [[nodiscard]] Statistics statistics() const { return engine->statistics(one).value(); }

    // Ten packets in a row, checked against each other.
    std::vector<Heard> hear(int count) const {
        std::vector<Heard> all;
        for (int i = 0; i < count; ++i) {
            auto heard = peer.receive();
            REQUIRE(heard);
            all.push_back(*heard);
        }
        return all;
    }
};

} // namespace revenant::media::test
