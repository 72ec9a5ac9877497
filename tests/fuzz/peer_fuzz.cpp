// A whole phone in this process, and a far end that says what the input says.
//
// The first byte of the input, a digit, chooses what the phone is in the middle of (`Situation`).
// The rest is a list of things that happen, divided by bytes 0x1E:
//   ".MS"     time goes on by so many milliseconds
//   "!VERB"   the user: answer, decline, bye, hold, unhold, info, options, reinvite
//   other     a datagram to the phone's SIP port, in which {words} stand for what fits the call
//             (`Peer::word`)
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

#include "../unit/fake_engine.hpp"
#include "../unit/fake_store.hpp"
#include "app/free_port.hpp"
#include "app/keeping.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/machine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"
#include "shell/terminal.hpp"
#include "sip_mutations.hpp"
#include "virtual_time.hpp"

namespace {

using namespace revenant;

constexpr std::size_t happenings_max = 24;
constexpr int turns_max = 20'000;
using fuzz::separator;
const std::string address = "127.0.0.1";

void must(bool holds, const std::string& what) {
    if (!holds) {
        base::die(what);
    }
}

std::string header(std::string_view message, std::string_view name) {
    const std::string wanted = fmt::format("\r\n{}:", name);
    const std::size_t at = message.find(wanted);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = message.substr(at + wanted.size());
    return std::string{base::trim(rest.substr(0, rest.find("\r\n")))};
}

std::string after_tag(const std::string& value) {
    const std::size_t at = value.find(";tag=");
    return at == std::string::npos ? std::string{}
                                   : value.substr(at + 5, value.find(';', at + 5) - at - 5);
}

// The far end: one UDP socket, and what it knows of the call.
class Peer {
public:
    Peer() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
        auto any = base::SocketAddress::numeric(address, 0);
        must(::bind(socket_.get(), any->data(), any->size()) == 0, "the peer has no socket");
        port_ = base::SocketAddress::of(socket_.get())->port();
    }

    [[nodiscard]] std::uint16_t port() const { return stream_ ? stream_port_ : port_; }

    // Until `forget` it speaks TCP.
    void connect(std::uint16_t to) {
        stream_ = base::Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        auto phone = base::SocketAddress::numeric(address, to);
        must(::connect(stream_.get(), phone->data(), phone->size()) == 0,
             "no connection to the phone");
        must(::fcntl(stream_.get(), F_SETFL, O_NONBLOCK) == 0, "the stream blocks");
        stream_port_ = base::SocketAddress::of(stream_.get())->port();
        unread_.clear();
    }

    void forget() {
        stream_ = {};
        requests_.clear();
        responses_.clear();
        dialog_ = {};
        cseq_ = 100;
        numbers_.clear();
        answers_ = false;
    }

    // From now on it answers every request, as it should.
    void answer_all() { answers_ = true; }

    // Whether something has come.
    bool read() {
        bool any = false;
        for (ssize_t size = 0;
             (size = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0)) > 0;) {
            any = true;
            hear(buffer_.substr(0, static_cast<std::size_t>(size)));
        }
        return read_stream() || any;
    }

    void say(const std::string& text, std::uint16_t to) {
        if (stream_) {
            static_cast<void>(::send(stream_.get(), text.data(), text.size(), MSG_NOSIGNAL));
            return;
        }
        auto phone = base::SocketAddress::numeric(address, to);
        static_cast<void>(
            ::sendto(socket_.get(), text.data(), text.size(), 0, phone->data(), phone->size()));
    }

    [[nodiscard]] std::string expanded(std::string_view text) {
        std::string out;
        while (!text.empty()) {
            const std::size_t open = std::min(text.find('{'), text.size());
            const std::size_t close = text.find('}', open);
            out += text.substr(0, open);
            if (close == std::string_view::npos || close - open > 20) {
                out += text.substr(open, 1);
                text.remove_prefix(std::min(open + 1, text.size()));
                continue;
            }
            const auto word = this->word(text.substr(open + 1, close - open - 1));
            out += word ? *word : std::string{text.substr(open, close + 1 - open)};
            text.remove_prefix(close + 1);
        }
        const std::size_t body = out.find("\r\n\r\n");
        if (const std::size_t at = out.find("{}");
            at != std::string::npos && body != std::string::npos) {
            out.replace(at, 2, std::to_string(out.size() - body - 4 - (at > body ? 2 : 0)));
        }
        return out;
    }

    // The head of a response to `request`, without its first line.
    [[nodiscard]] std::string head_to(const std::string& request) {
        std::string to = header(request, "To");
        if (to.find(";tag=") == std::string::npos) {
            to += ";tag=theirs";
        }
        return fmt::format("Via: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n",
                           header(request, "Via"), header(request, "From"), to,
                           header(request, "Call-ID"), header(request, "CSeq"));
    }

    [[nodiscard]] bool heard(const std::string& method) const { return requests_.contains(method); }

    [[nodiscard]] bool heard_status(const std::string& status) const {
        return responses_.contains(status);
    }

    // An INVITE of its own, which begins a call.
    [[nodiscard]] std::string invite() {
        return expanded("INVITE sip:phone@127.0.0.1 SIP/2.0\r\n{begin}{contact}{sdp}");
    }

    static constexpr std::string_view sdp =
        "v=0\r\no=peer 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

private:
    struct Dialog {
        std::string call_id;
        std::string ours;   // From of its requests
        std::string phones; // To
    };

    std::optional<std::string> word(std::string_view name) {
        if (name == "answer") { // to the last request of the phone's
            return last_.empty() ? std::optional<std::string>{} : head_to(last_);
        }
        if (name.starts_with("answer ")) { // to its last one of this method
            const auto found = requests_.find(std::string{name.substr(7)});
            return found == requests_.end() ? std::optional<std::string>{} : head_to(found->second);
        }
        if (name == "begin") { // the head of an INVITE that begins a call
            dialog_ = {.call_id = fmt::format("in-{}", ++count_),
                       .ours = "<sip:peer@127.0.0.1>;tag=theirs",
                       .phones = "<sip:phone@127.0.0.1>"};
            name = "request INVITE";
        }
        if (name.starts_with("request ")) { // the head of a new request in the dialog
            return fmt::format("Via: SIP/2.0/{} 127.0.0.1:{};branch=z9hG4bK{}\r\nMax-Forwards: "
                               "70\r\nFrom: {}\r\nTo: {}\r\n"
                               "Call-ID: {}\r\nCSeq: {} {}\r\n",
                               stream_ ? "TCP" : "UDP", port(), ++count_, dialog_.ours,
                               dialog_.phones, dialog_.call_id,
                               name == "request ACK" || name == "request CANCEL" ? cseq_ : ++cseq_,
                               name.substr(8));
        }
        if (name == "contact") {
            return fmt::format("Contact: <sip:peer@127.0.0.1:{}{}>\r\n", port(),
                               stream_ ? ";transport=tcp" : "");
        }
        if (name == "sdp") { // with everything from Content-Type on
            return fmt::format("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
                               sdp.size(), sdp);
        }
        if (name == "length") { // of the body; filled in at the end
            return "{}";
        }
        if (name == "call_id") {
            return dialog_.call_id;
        }
        if (name == "port") {
            return std::to_string(port());
        }
        if (name == "tag") { // the phone's
            return after_tag(dialog_.phones);
        }
        return std::nullopt;
    }

    bool read_stream() {
        bool any = false;
        for (ssize_t size = 0;
             stream_ && (size = ::recv(stream_.get(), buffer_.data(), buffer_.size(), 0)) > 0;) {
            any = true;
            unread_.append(buffer_, 0, static_cast<std::size_t>(size));
        }
        for (std::size_t end = 0; (end = unread_.find("\r\n\r\n")) != std::string::npos;) {
            const std::size_t body = base::to_u32(header(unread_, "Content-Length")).value_or(0);
            if (unread_.size() < end + 4 + body) {
                break;
            }
            hear(unread_.substr(0, end + 4 + body));
            unread_.erase(0, end + 4 + body);
        }
        return any;
    }

    void hear(const std::string& text) {
        if (text.starts_with("SIP/2.0 ")) {
            responses_[text.substr(8, 3)] = text;
            if (header(text, "Call-ID") == dialog_.call_id) {
                dialog_.phones = header(text, "To");
            }
            const bool is_final_to_invite =
                header(text, "CSeq").ends_with("INVITE") && text[8] != '1';
            if (answers_ && is_final_to_invite) {
                acknowledge(text);
            }
            return;
        }
        const std::string method = text.substr(0, text.find(' '));
        number_once(method, text);
        last_ = requests_[method] = text;
        if (method == "INVITE" && dialog_.call_id.empty()) {
            dialog_ = {.call_id = header(text, "Call-ID"),
                       .ours = header(text, "To") + ";tag=theirs",
                       .phones = header(text, "From")};
        }
        if (answers_ && method != "ACK") {
            const bool offers = method == "INVITE" || method == "UPDATE";
            say(expanded("SIP/2.0 200 OK\r\n{answer}" +
                         std::string{offers ? "{contact}{sdp}" : "Content-Length: 0\r\n\r\n"}),
                phone_port_of(text));
        }
    }

    // A new request has a CSeq above all before it; only a repeated one has an old one, and its
    // branch.
    void number_once(const std::string& method, const std::string& request) {
        if (method == "ACK" || method == "CANCEL") {
            return;
        }
        const std::uint32_t cseq =
            base::to_u32(header(request, "CSeq").substr(0, header(request, "CSeq").find(' ')))
                .value_or(0);
        auto& [highest, branches] = numbers_[header(request, "Call-ID")];
        const std::string said = method + " " + header(request, "Via");
        const auto before = branches.find(cseq);
        must(before == branches.end() ? cseq > highest : before->second == said,
             fmt::format("the CSeq {} of a {} was there before, or above {}", cseq, method,
                         highest));
        highest = std::max(highest, cseq);
        branches[cseq] = said;
    }

    void acknowledge(const std::string& response) {
        const std::string cseq = header(response, "CSeq");
        say(fmt::format("ACK sip:phone@127.0.0.1 SIP/2.0\r\nVia: {}\r\nFrom: {}\r\nTo: "
                        "{}\r\nCall-ID: {}\r\nCSeq: {} ACK\r\n\r\n",
                        header(response, "Via"), header(response, "From"), header(response, "To"),
                        header(response, "Call-ID"), cseq.substr(0, cseq.find(' '))),
            phone_);
    }

    [[nodiscard]] std::uint16_t phone_port_of(const std::string& /*request*/) const {
        return phone_;
    }

    base::Fd socket_;
    base::Fd stream_;
    std::uint16_t stream_port_ = 0;
    std::string unread_; // of the stream
    std::string buffer_ = std::string(70'000, '\0');
    std::uint16_t port_ = 0;
    std::map<std::string, std::string> requests_; // the last of each method
    std::map<std::string, std::string> responses_;
    std::string last_;

    struct Numbers {
        std::uint32_t highest = 0;
        std::map<std::uint32_t, std::string> branches;
    };

    std::map<std::string, Numbers> numbers_; // of the phone's requests, by Call-ID
    Dialog dialog_;
    std::uint32_t cseq_ = 100;
    std::uint32_t count_ = 0;
    bool answers_ = false;

public:
    std::uint16_t phone_ = 0;
};

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
                 keeping_,
                 {.codecs = media::supported_codecs(), .resumes_by_itself = true}} {
        port_ = app::chosen_port({.address = address, .port = 0, .transport = {}}, {}, {});
        peer_.phone_ = port_;
        must(store_.next_epoch().has_value(), "no epoch");
        board_.adopt({}, store_.epoch, false);
        auto agent = sip::Agent::create(
            {.aor = "sip:phone@127.0.0.1",
             .listen = {{.at = {.address = address, .port = port_}, .transport = {}}}},
            board_);
        must(agent.has_value(), agent ? "" : agent.error().context);
        agent_ = std::move(*agent);
        board_.connect(*agent_);
        board_.restore([] {});
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
        peer_.say(peer_.expanded(text), port_);
        turn();
    }

    void each(const call::Event& event) {
        std::vector<call::Number> all;
        for (const auto& [number, call] : board_.calls()) {
            all.push_back(number);
        }
        for (const call::Number number : all) {
            static_cast<void>(board_.apply(number, event));
        }
        turn();
    }

    void bring_about(Situation situation) {
        if (situation >= Situation::stream) {
            peer_.connect(port_);
        }
        if (situation == Situation::idle || situation == Situation::stream) {
            return;
        }
        if (situation == Situation::ringing_here || situation == Situation::called ||
            situation == Situation::called_by_stream) {
            peer_.say(peer_.invite(), port_);
            turn();
            if (situation != Situation::ringing_here) {
                each(call::event::Answer{});
                say(fmt::format("ACK sip:phone@127.0.0.1:{} SIP/2.0\r\n{{request "
                                "ACK}}Content-Length: 0\r\n\r\n",
                                port_));
            }
            return;
        }
        static_cast<void>(board_.dial(fmt::format("sip:peer@127.0.0.1:{}", peer_.port())));
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
        board_.adopt(std::move(loaded->dialogs), store_.epoch, false);
        board_.restore([this, number] { board_.resume({number}); });
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

    void tidy_up() {
        peer_.answer_all();
        each(call::event::HangUp{});
        for (int i = 0; i < 6 && !board_.calls().empty(); ++i) {
            pass(5'000);
            each(call::event::HangUp{});
        }
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
                              peer_.port(), ++probes_),
                  port_);
        turn();
        must(peer_.heard_status("200"), "OPTIONS gets no 200 any more");
    }

    journal::MemoryStore store_;
    media::FakeEngine media_;
    app::Keeping keeping_;
    app::Switchboard board_;
    std::unique_ptr<sip::Agent> agent_;
    Peer peer_;
    std::uint16_t port_ = 0;
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
