// The moment at which all that has queued up while there was no process is read.
//
// The main loop tells it, by being at rest (base::when_at_rest): no socket has anything to be read,
// no connection waits to be given back, and the stack has no event to deliver.
#pragma once

#include <cstdint>
#include <functional>

#include "revenant/base/source.hpp"

namespace revenant::sip {

class QueueEnd {
public:
    // Who is sent more than can be read gets on all the same.
    static constexpr std::uint32_t deadline_ms = 200;

    // `reached` is called once, from the main loop, unless this is destroyed before.
    explicit QueueEnd(std::function<void()> reached);
    QueueEnd(const QueueEnd&) = delete;
    QueueEnd& operator=(const QueueEnd&) = delete;
    ~QueueEnd() = default;

private:
    void reach();

    std::function<void()> reached_;
    base::Source idle_;
    base::Source deadline_;
};

} // namespace revenant::sip
