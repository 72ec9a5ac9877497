#include <array>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "revenant/base/fd.hpp"
#include "revenant/shell/output.hpp"
#include "shell/outlet.hpp"
#include "shell/terminal.hpp"

using namespace revenant;
using shell::Format;
using shell::Notice;
using shell::Outlet;
using shell::Tone;

namespace {

struct Pipe {
    base::Fd out;
    base::Fd in;

    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        out.reset(ends[0]);
        in.reset(ends[1]);
    }

    // All that is in the pipe now.
    [[nodiscard]] std::string read_all() const {
        ::fcntl(out.get(), F_SETFL, O_NONBLOCK);
        std::string text;
        std::array<char, 65536> piece{};
        while (true) {
            const ssize_t count = ::read(out.get(), piece.data(), piece.size());
            if (count <= 0) {
                return text;
            }
            text.append(piece.data(), static_cast<std::size_t>(count));
        }
    }
};

Notice notice(std::string text, Tone tone = Tone::plain) {
    return {.event = "test.event", .call = 7, .tone = tone, .text = std::move(text), .fields = {}};
}

nlohmann::json parsed(const Notice& n) {
    const std::string line = shell::rendered(n, Format::json, true);
    CHECK(line.ends_with('\n'));
    CHECK(line.find('\n') == line.size() - 1);
    return nlohmann::json::parse(line);
}

// Ignores SIGPIPE as the program does, and gives standard output back.
struct OutputTo {
    explicit OutputTo(int fd) {
        ::signal(SIGPIPE, SIG_IGN);
        shell::set_output(Format::human, false);
        shell::set_output_fd(fd);
    }

    ~OutputTo() {
        shell::set_line_keeper({}, {});
        shell::set_output_fd(STDOUT_FILENO);
    }

    OutputTo(const OutputTo&) = delete;
    OutputTo& operator=(const OutputTo&) = delete;
};

} // namespace

TEST_CASE("human text is plain without colour, and coloured line by line with it") {
    CHECK(shell::rendered(notice("one\ntwo", Tone::bad), Format::human, false) == "one\ntwo\n");
    CHECK(shell::rendered(notice("one\ntwo", Tone::bad), Format::human, true) ==
          "\033[31mone\033[0m\n\033[31mtwo\033[0m\n");
    CHECK(shell::rendered(notice("one"), Format::human, true) == "one\n");
    CHECK(shell::rendered(notice(""), Format::human, true).empty());
}

TEST_CASE("control characters never reach a terminal") {
    CHECK(shell::rendered(notice("a\033[2J\rb\x9B\x7F"), Format::human, false) == "a?[2J?b??\n");
}

TEST_CASE("a long text is not cut") {
    const std::string text(100'000, 'x');
    CHECK(shell::rendered(notice(text), Format::human, false) == text + "\n");
}

TEST_CASE("a JSON notice is one line with time, event, call, text and its fields in order") {
    Notice n = notice("hello\nworld");
    n.fields = {{"peer", "sip:bob@example.org"},
                {"gap_ms", std::int64_t{-5}},
                {"mos", 4.5},
                {"held", true}};
    const std::string line = shell::rendered(n, Format::json, false);
    const std::size_t after_time = line.find("\",") + 2;
    CHECK(line.substr(0, 9) == R"({"time":")");
    CHECK(line.substr(after_time) ==
          R"("event":"test.event","call":7,"text":"hello\nworld","peer":"sip:bob@example.org",)"
          R"("gap_ms":-5,"mos":4.5,"held":true})"
          "\n");
    const std::string time = parsed(n)["time"];
    REQUIRE(time.size() == 24);
    CHECK(time[4] == '-');
    CHECK(time[10] == 'T');
    CHECK(time[19] == '.');
    CHECK(time[23] == 'Z');
}

TEST_CASE("a field never replaces what every notice has") {
    Notice n = notice("text");
    n.fields = {{"event", "forged"}, {"call", std::int64_t{8}}, {"other", "kept"}};
    CHECK(parsed(n)["event"] == "test.event");
    CHECK(parsed(n)["call"] == 7);
    CHECK(parsed(n)["other"] == "kept");
}

TEST_CASE("JSON escapes what a terminal would act on, and survives what is not UTF-8") {
    const std::string nasty = "\033[2J\x7F\xC2\x9B\xE2\x80\xAE\xE2\x81\xA6 \xC3\xBC\xE2\x82\xAC";
    Notice n = notice(nasty);
    const std::string line = shell::rendered(n, Format::json, false);
    CHECK(line.find('\033') == std::string::npos);
    CHECK(line.find('\x7F') == std::string::npos);
    CHECK(line.find("\xC2\x9B") == std::string::npos);
    CHECK(line.find("\xE2\x80\xAE") == std::string::npos);
    CHECK(line.find("\xC3\xBC\xE2\x82\xAC") != std::string::npos);
    CHECK(parsed(n)["text"] == nasty);
    CHECK(parsed(notice("a\xFF\xFE"))["text"] == "a\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(parsed(notice("cut \xE2"))["text"] == "cut \xEF\xBF\xBD");
}

TEST_CASE("a failure says where it comes from, and its code") {
    const Notice n = shell::failure_notice(
        {.code = base::Errc::not_found, .context = "there is no call 3"}, "calls.txt:7");
    CHECK(n.event == "error");
    CHECK(n.text == "calls.txt:7: there is no call 3");
    CHECK(parsed(n)["code"] == "not_found");
    CHECK(parsed(n)["origin"] == "calls.txt:7");
    CHECK(shell::failure_notice({.code = base::Errc::io, .context = "x"}).text == "x");
}

TEST_CASE("printing steps aside from the line being typed and back, around the write") {
    const Pipe pipe;
    const OutputTo output{pipe.in.get()};
    std::string seen;
    shell::set_line_keeper([&] { seen += "hide(" + pipe.read_all() + ")"; },
                           [&] { seen += "show(" + pipe.read_all() + ")"; });
    shell::print(notice("hello"));
    CHECK(seen == "hide()show(hello\n)");
}

TEST_CASE("a reader that has gone away ends the output, not the program") {
    Pipe pipe;
    const OutputTo output{pipe.in.get()};
    pipe.out.reset();
    for (int i = 0; i < 1000; ++i) {
        shell::print(notice("hello"));
    }
    shell::flush_output(0);
}

TEST_CASE("a full pipe does not stop the phone: text is kept up to a bound, then counted") {
    const Pipe pipe;
    const OutputTo output{pipe.in.get()};
    const std::string text(999, 'x');
    constexpr int printed = 2000; // 2 MB; the pipe holds 64 kB, the output 1 MB
    for (int i = 0; i < printed; ++i) {
        shell::print(notice(text));
    }
    std::string all;
    for (int i = 0; i < 100; ++i) {
        all += pipe.read_all();
        shell::flush_output(0);
    }
    const std::size_t kept =
        all.rfind(text) == std::string::npos ? 0 : (all.rfind(text) + 1000) / 1000;
    CHECK(kept > 1000);
    CHECK(kept < printed);
    const std::string last = all.substr(kept * 1000);
    CHECK(last == std::to_string(printed - kept) +
                      " lines of output were not taken by their reader and are lost\n");
    shell::print(notice("and on"));
    CHECK(pipe.read_all() == "and on\n");
}

TEST_CASE("the writing end that others share stays blocking") {
    const Pipe pipe;
    Outlet outlet{pipe.in.get()};
    CHECK(outlet.write("x"));
    CHECK((::fcntl(pipe.in.get(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK((::fcntl(outlet.own(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("a full socket keeps the rest back, too") {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const base::Fd here{ends[0]};
    const base::Fd there{ends[1]};
    Outlet outlet{here.get()};
    CHECK(outlet.write(std::string(900'000, 'x')));
    CHECK(outlet.pending());
    CHECK_FALSE(outlet.drain(1));
    CHECK_FALSE(outlet.closed());
}

TEST_CASE("a file is appended to where its descriptor stands, and a full disk drops what it must") {
    const std::string path = "/tmp/revenant_output_test." + std::to_string(::getpid());
    const base::Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    ::unlink(path.c_str());
    REQUIRE(::write(file.get(), "one\n", 4) == 4);
    Outlet outlet{file.get()};
    CHECK(outlet.write("two\n"));
    std::array<char, 16> text{};
    CHECK(::pread(file.get(), text.data(), text.size(), 0) == 8);
    CHECK(std::string_view{text.data(), 8} == "one\ntwo\n");

    const base::Fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    Outlet nowhere{full.get()};
    nowhere.write("x");
    CHECK_FALSE(nowhere.closed());
    CHECK(nowhere.take_dropped() == 1);
    CHECK(nowhere.take_dropped() == 0);
}

TEST_CASE("a descriptor that is closed drops everything at once") {
    Outlet outlet{-1};
    outlet.write("x");
    CHECK(outlet.drain(0));
}
