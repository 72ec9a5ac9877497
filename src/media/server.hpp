// The media thread: serves every session in its slot, and sleeps when no slot is occupied.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "media/mailbox.hpp"
#include "media/session.hpp"
#include "media/wheel.hpp"

namespace revenant::media {

// From the main thread; comes back through `done` and is freed there.
struct Command {
    enum class Kind : std::uint8_t { start, update, stop, leave };

    Kind kind = Kind::start;
    Session* session = nullptr; // null for `leave`, which ends the thread
    Plan plan;
    Command* next = nullptr;
    Notice done;
};

class Server {
public:
    Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server(); // the thread must have left

    void start();
    // Takes the command over until its `done` notice comes.
    void post(std::unique_ptr<Command> command);
    // Ends the thread; nothing is sent, no session is touched afterwards.
    void leave();

    [[nodiscard]] Mailbox<Notice>& notices() { return notices_; }

private:
    void work();
    [[nodiscard]] bool handle_commands(const base::Now& now);
    void serve_until(std::int64_t tick, const base::Now& now);
    void sleep();

    Mailbox<Command> commands_;
    Mailbox<Notice> notices_;
    Workspace workspace_{notices_};
    Wheel<Session> wheel_;
    std::int64_t served_tick_ = 0; // all ticks up to this one are served
    std::thread thread_;
};

} // namespace revenant::media
