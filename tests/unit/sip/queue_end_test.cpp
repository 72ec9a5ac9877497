// When all that has queued up is read.
#include <cstdint>

#include <sys/eventfd.h>

#include <doctest/doctest.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/source.hpp"
#include "sip/comeback/queue_end.hpp"
#include "unit/fakes/main_loop.hpp"

using namespace revenant;

namespace {

// A socket as the stack reads them: one message a turn of the main loop.
struct Queue {
    base::Fd fd;
    unsigned read = 0;
    base::Source source;

    explicit Queue(unsigned messages)
        : fd{::eventfd(messages, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)},
          source{base::on_readable(fd.get(), [this] {
              eventfd_t one = 0;
              read += ::eventfd_read(fd.get(), &one) == 0 ? 1U : 0U;
          })} {}
};

} // namespace

TEST_CASE("the end of the queue is told when every socket is read, not before") {
    Queue first{20};
    Queue second{7};
    unsigned ends = 0;
    const sip::QueueEnd end{[&] {
        ++ends;
        CHECK(first.read == 20);
        CHECK(second.read == 7);
    }};
    CHECK(ends == 0); // from the main loop only
    CHECK(run_until([&] { return ends > 0; }));
    run_for_ms(sip::QueueEnd::deadline_ms + 50);
    CHECK(ends == 1);
}

TEST_CASE("the end of a queue that never ends is told after a while") {
    Queue flood{1'000'000'000};
    bool ended = false;
    const sip::QueueEnd end{[&] { ended = true; }};
    run_for_ms(sip::QueueEnd::deadline_ms / 4);
    CHECK_FALSE(ended);
    CHECK(run_until([&] { return ended; }));
}

TEST_CASE("who stops waiting for the end of the queue is not told of it") {
    bool ended = false;
    {
        const sip::QueueEnd end{[&] { ended = true; }};
    }
    run_for_ms(20);
    CHECK_FALSE(ended);
}
