// A whole phone in this process, and a far end that says what the input says.
//
// The first byte of the input, a digit, chooses what the phone is in the middle of (`Situation`).
// The rest is a list of things that happen, divided by bytes 0x1E:
//   ".MS"     time goes on by so many milliseconds
//   "!VERB"   the user: answer, decline, bye, hold, unhold, info, options, reinvite
//   other     a datagram to the phone's SIP port, in which {words} stand for what fits the call
//             (`FarEnd::word`)
// After that the user hangs up, the far end answers as it should, and then falls silent. In the end
// the phone must have no call, no record and no open media, and answer OPTIONS as ever.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fmt/format.h>
#include <glib.h>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/free_port.hpp"
#include "app/keeper_link.hpp"
#include "app/switchboard.hpp"
#include "far_end.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"
#include "shell/terminal.hpp"
#include "sip_mutations.hpp"
#include "unit/fakes/fake_engine.hpp"
#include "unit/fakes/fake_store.hpp"
#include "virtual_time.hpp"

namespace {

using namespace revenant;

constexpr std::size_t happenings_max = 24;
constexpr int turns_max = 20'000;
using fuzz::address;
using fuzz::must;
using fuzz::separator;

enum class Situation : std::uint8_t {
    idle,
    calling,
    ringing_there,
    ringing_here,
    established,
    called,
    held,
    resuming,
    ending,
    stream, // idle, and the far end speaks TCP
    called_by_stream
};

constexpr std::size_t situations = 11;

class World {
public:
    World()
        : board_{store_,
                 media_,
                 ports_,
                 keeping_,
                 {.codecs = media::supported_codecs(), .resumes_by_itself = true}} {
        must(store_.next_epoch().has_value(), "no epoch");
        auto agent = sip::Agent::create(
            {.aor = "sip:phone@127.0.0.1",
             .listen = {{.at = {.address = address, .port = port_}, .transport = {}}}},
            board_);
        must(agent.has_value(), agent ? "" : agent.error().context);
        agent_ = std::move(*agent);
        board_.connect(*agent_);
        comeback_.restore([] {});
        turn();
    }

    void run(std::string_view input) {
        peer_.forget();
        const auto situation =
            static_cast<Situation>(static_cast<unsigned char>(input.front() - '0') % situations);
        bring_about(situation);
        must_be_in(situation);
        input.remove_prefix(1);
        for (std::size_t i = 0; i < happenings_max && !input.empty(); ++i) {
            const std::size_t end = std::min(input.find(separator), input.size());
            happens(input.substr(0, end));
            input.remove_prefix(std::min(end + 1, input.size()));
        }
        tidy_up();
    }

private:
    // Until the next timer of anybody's is due, in milliseconds.
    static std::int64_t quiet_ms() {
        GMainContext* const loop = g_main_context_default();
        std::vector<GPollFD> polled(64);
        gint priority = 0;
        gint wait_ms = 0;
        g_main_context_acquire(loop);
        g_main_context_prepare(loop, &priority);
        g_main_context_query(loop, priority, &wait_ms, polled.data(),
                             static_cast<gint>(polled.size()));
        g_main_context_release(loop);
        return wait_ms < 0 ? 1'000'000 : std::max(wait_ms, 1);
    }

    // Until nothing happens by itself any more.
    void turn() {
        int idle = 0;
        for (int turns = 0; idle < 3; ++turns) {
            must(turns < turns_max, "the main loop does not come to rest");
            const bool any = g_main_context_iteration(nullptr, FALSE) != 0;
            idle = peer_.read() || any ? 0 : idle + 1;
        }
    }

    void pass(std::int64_t ms) {
        while (ms > 0) {
            const std::int64_t step_ms = std::min(ms, quiet_ms());
            fuzz::move_time_ms(step_ms);
            ms -= step_ms;
            turn();
        }
    }

    void say(std::string_view text) {
        peer_.say(peer_.expanded(text));
        turn();
    }

    void each(const call::Event& event) {
        std::vector<call::Number> all;
        for (const auto& [number, call] : board_.calls()) {
            all.push_back(number);
        }
        for (const call::Number number : all) {
            board_.apply(number, event);
        }
        turn();
    }

    void bring_about(Situation situation) {
        if (situation >= Situation::stream) {
            peer_.connect();
        }
        if (situation == Situation::idle || situation == Situation::stream) {
            return;
        }
        if (situation == Situation::ringing_here || situation == Situation::called ||
            situation == Situation::called_by_stream) {
            peer_.say(peer_.invite());
            turn();
            if (situation != Situation::ringing_here) {
                each(call::event::Answer{});
                say(fmt::format("ACK sip:phone@127.0.0.1:{} SIP/2.0\r\n{{request "
                                "ACK}}Content-Length: 0\r\n\r\n",
                                port_));
            }
            return;
        }
        board_.dial(fmt::format("sip:peer@127.0.0.1:{}", peer_.port()),
                    [](const auto& /*number*/) {});
        turn();
        if (situation == Situation::calling) {
            return;
        }
        say("SIP/2.0 180 Ringing\r\n{answer INVITE}{contact}Content-Length: 0\r\n\r\n");
        if (situation == Situation::ringing_there) {
            return;
        }
        say("SIP/2.0 200 OK\r\n{answer INVITE}{contact}{sdp}");
        if (situation == Situation::held) {
            each(call::event::Hold{});
            say("SIP/2.0 200 OK\r\n{answer INVITE}{contact}{sdp}");
        } else if (situation == Situation::ending) {
            each(call::event::HangUp{});
        } else if (situation == Situation::resuming) {
            resume();
        }
    }

    // Else the fuzzer would go on and try nothing.
    void must_be_in(Situation situation) {
        using enum call::State;
        static constexpr std::array<call::State, situations> wanted{
            over,        inviting, proceeding, alerting, established, established,
            established, resuming, ending,     over,     established};
        const call::State state =
            board_.calls().empty() ? over : board_.calls().begin()->second.state;
        must(state == wanted[static_cast<std::size_t>(situation)],
             fmt::format("situation {} begins in the state {}", static_cast<int>(situation),
                         name(state)));
    }

    // As after a death: the record is all that is left of the call.
    void resume() {
        if (store_.records.empty()) {
            return;
        }
        const std::string record = store_.records.begin()->second;
        const call::Number number = store_.records.begin()->first;
        each(call::event::HangUp{});
        say("SIP/2.0 200 OK\r\n{answer BYE}Content-Length: 0\r\n\r\n");
        pass(40'000); // the dialog has gone from the stack
        if (board_.find(number) != nullptr) {
            return;
        }
        store_.records[number] = record;
        auto loaded = store_.load();
        must(store_.next_epoch().has_value(), "no epoch");
        comeback_.take_over(std::move(loaded->dialogs), {});
        comeback_.restore([this] { comeback_.go_on([] {}); });
        turn();
    }

    void happens(std::string_view what) {
        if (what.starts_with('.')) {
            pass(std::min<std::uint32_t>(base::to_u32(what.substr(1)).value_or(0), 100'000));
        } else if (what.starts_with('!')) {
            user(what.substr(1));
        } else {
            say(what);
        }
    }

    void user(std::string_view verb) {
        if (verb == "answer") {
            each(call::event::Answer{});
        } else if (verb == "decline") {
            each(call::event::Decline{});
        } else if (verb == "bye") {
            each(call::event::HangUp{});
        } else if (verb == "hold") {
            each(call::event::Hold{});
        } else if (verb == "unhold") {
            each(call::event::Unhold{});
        } else if (verb == "info") {
            each(call::event::SendInfo{.content_type = "text/plain", .body = "hello"});
        } else if (verb == "options") {
            each(call::event::SendOptions{});
        } else if (verb == "reinvite") {
            each(call::event::Resume{});
        }
    }

    void end_calls() {
        for (int i = 0; i < 7 && !board_.calls().empty(); ++i) {
            each(call::event::HangUp{});
            pass(5'000);
        }
    }

    void tidy_up() {
        peer_.answer_all();
        end_calls();
        // At its end a stream gives what stood behind a header that is not finished.
        peer_.hang_up();
        turn();
        end_calls();
        pass(200'000);
        for (const auto& [number, call] : board_.calls()) {
            base::die(fmt::format("call {} is still {}", number, name(call.state)));
        }
        must(media_.sessions.empty(), "media are open without a call");
        must(store_.records.empty(), "a record is left of a call that is over");
        probe();
    }

    void probe() {
        peer_.forget();
        peer_.say(fmt::format("OPTIONS sip:phone@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
                              "127.0.0.1:{0};branch=z9hG4bKprobe{1}\r\n"
                              "From: <sip:peer@127.0.0.1>;tag=probe\r\nTo: "
                              "<sip:phone@127.0.0.1>\r\nCall-ID: probe-{1}\r\n"
                              "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                              peer_.port(), ++probes_));
        turn();
        must(peer_.heard_status("200"), "OPTIONS gets no 200 any more");
        must(board_.calls().empty(), "a call is left to the next input");
    }

    std::uint16_t port_ =
        app::chosen_port({.address = address, .port = 0, .transport = {}}, {}, {});
    fuzz::FarEnd peer_{port_};
    journal::MemoryStore store_;
    media::FakeEngine media_;
    app::Keeping keeping_;
    app::CallPorts ports_{media_, keeping_};
    app::Switchboard board_;
    app::Comeback comeback_{board_, ports_};
    std::unique_ptr<sip::Agent> agent_;
    std::uint32_t probes_ = 0;
};

// In place of libFuzzer's -timeout, which would count the virtual time.
void limit_processor_time() {
    constexpr int seconds = 20;
    static_cast<void>(std::signal(SIGPROF, [](int /*signal*/) { std::abort(); }));
    const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
    must(::setitimer(ITIMER_PROF, &limit, nullptr) == 0, "no timer");
}

} // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

extern "C" std::size_t
LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed) {
    if (seed % 5 == 0) {
        return LLVMFuzzerMutate(data, size, size_max);
    }
    // SAFETY: bytes are read as characters and only for this call.
    const std::string changed =
        fuzz::Mutation{seed}.of({reinterpret_cast<const char*>(data), size});
    const std::size_t kept = std::min(changed.size(), size_max);
    std::copy_n(changed.begin(), kept, data);
    return kept;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const fuzz::Virtual time;
    limit_processor_time();
    static const bool is_quiet = [] {
        shell::set_output_fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
        base::set_log_level(base::Level::error);
        return true;
    }();
    static_cast<void>(is_quiet);
    static auto* const world = new World; // never destroyed: it would say BYE to nobody
    // SAFETY: bytes are read as characters and only for this call.
    world->run({reinterpret_cast<const char*>(data), size});
    return 0;
}
