// The fire drill: a test call, a real SIGKILL in the middle of it, and a verdict by the next life.
//
// The life that is killed leaves a small file in the state directory (state/README.md, "drill");
// the next one finds it, resumes all calls as ever, tells what became of the test call, hangs it
// up and removes the file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/drill_mark.hpp"
#include "app/drill_peer.hpp"
#include "app/keeper_link.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

class Drill {
public:
    // All borrowed; they outlive the Drill.
    Drill(Switchboard& board, const Keeping& keeping, const shell::Options& options);

    void add_command(shell::Table& table);

    // To be called when the phone has become ready. If this life is the second of a drill, `over`
    // is called once when the verdict has been given.
    void look_back(std::function<void()> over);

    // The drill that this life had to judge was lost.
    [[nodiscard]] bool is_lost() const { return is_lost_; }

private:
    [[nodiscard]] base::Status may_begin(bool force) const;
    void begin(const shell::Arguments& arguments, const shell::Done& done);
    void call(const std::string& uri);
    void await_answer(call::Number number);
    void await_media();
    void await_packets();
    void await(std::uint64_t media::Statistics::*packets,
               std::uint32_t most_ms,
               std::function<void()> then);
    [[nodiscard]] bool is_over();
    void give_up(const base::Error& error);
    void kill_us();

    void judge();
    void close(bool survived, const std::string& text, const std::string& reason);
    [[nodiscard]] std::string path() const;

    Switchboard* board_;
    const Keeping* keeping_;
    const shell::Options* options_;

    // The first life.
    shell::Done done_; // of the command; empty when no drill is under way
    std::unique_ptr<TestPeer> peer_;
    std::optional<call::Number> call_;
    base::Source packets_;  // until enough are sent
    base::Source deadline_; // of either life

    // The second.
    DrillMark mark_;
    std::function<void()> over_;
    base::Source line_; // the ledger's is there
    std::int64_t ready_ms_ = 0;
    std::int64_t resumed_ms_ = 0; // 0: not yet
    bool is_lost_ = false;
};

} // namespace revenant::app
