// The way back from a restart, in the order of time:
//
//   take_over   one record of each dialog, the most urgent first
//               all RTP ports are bound, then the streams run on
//               the calls stand in the Switchboard, and nothing is said
//   restore     dialogs are rebuilt through the stand-in, a window at a time: quarantined
//   - - - - -   here it may wait: of itself it has said nothing to a peer yet
//   go_on       calls whose rebuilding says something to the peer, and suspects, are rebuilt
//               the held sockets are put in place, and what has queued up in them is read
//               re-INVITEs leave, a window at a time; each answer ends a call's way back
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "app/call_ports.hpp"
#include "app/return_queue.hpp"
#include "app/switchboard.hpp"
#include "revenant/call/machine.hpp"

namespace revenant::app {

class Comeback {
public:
    // Both borrowed; they outlive the Comeback.
    Comeback(Switchboard& board, CallPorts& ports);
    Comeback(const Comeback&) = delete;
    Comeback& operator=(const Comeback&) = delete;
    ~Comeback();

    // Before there is a SIP side. `suspects`: an earlier start has died on them; they come back
    // after all others, one at a time.
    void take_over(std::vector<call::Dialog> records, std::set<call::Number> suspects);

    // `quarantined` is called when each dialog that can be rebuilt in silence is.
    void restore(std::function<void()> quarantined);

    // After that. `in_service` is called when all are rebuilt, peers are heard again, and the first
    // re-INVITEs have left, if nobody has to ask for them.
    void go_on(std::function<void()> in_service);

    // A re-INVITE for each, a window of unanswered ones at a time.
    void refresh(const std::vector<call::Number>& calls);

private:
    using Records = std::vector<call::Dialog*>;

    [[nodiscard]] Records one_of_each_dialog(std::vector<call::Dialog>& records);
    static void sort_by_urgency(Records& records);
    // Those whose streams can run.
    [[nodiscard]] Records bind_ports(const Records& records);
    void run_streams(const Records& records);
    void give_to_board(const Records& records);

    void expect_messages();
    void rebuild(const std::vector<call::Number>& calls, std::function<void()> rebuilt);
    void read_on(std::function<void()> read);
    void refresh_restored();

    [[nodiscard]] bool begin_turn(call::Number number, Turn turn);
    void note_turns();
    void note_step(const call::Call& before, const call::Call& now);

    Switchboard* board_;
    CallPorts* ports_;
    ReturnQueue queue_;
    std::vector<call::Number> silent_;   // to be rebuilt, which no peer notices
    std::vector<call::Number> speaking_; // to be rebuilt after them
    std::function<void()> rebuilt_;      // while some are
};

} // namespace revenant::app
