#include "app/drill_peer.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <glib.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

namespace {

constexpr std::uint32_t ready_within_ms = 5000;
constexpr std::size_t heard_max = 65'536;

// A port that is free for UDP and TCP now. Nothing keeps it so: the peer says when it is not.
std::optional<std::uint16_t> free_port(const std::string& address) {
    const auto any = base::SocketAddress::numeric(address, 0);
    if (!any) {
        return std::nullopt;
    }
    const base::Fd udp{::socket(any->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const base::Fd tcp{::socket(any->family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const bool bound = ::bind(udp.get(), any->data(), any->size()) == 0;
    const auto own = bound ? base::SocketAddress::of(udp.get()) : std::nullopt;
    if (!own || ::bind(tcp.get(), own->data(), own->size()) != 0) {
        return std::nullopt;
    }
    return own->port();
}

std::vector<std::string> command_line(const std::string& at, const std::string& directory) {
    return {"/proc/self/exe", "--no-config", "--listen", at, "--state", directory, "--resume=never",
            "--json", "--aor", "sip:drill@" + at.substr(0, at.find(';')), "--audio", "echo",
            "--auto-answer=200",
            // Whatever becomes of us, it does not stay.
            "-c", "wait established 20s", "-c", "wait ended 120s"};
}

// Without what was meant for us: our keeper is not the peer's.
std::unique_ptr<char*, decltype(&g_strfreev)> environment() {
    char** variables = g_get_environ();
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID",
                             "LISTEN_FDS", "LISTEN_FDNAMES"}) {
        variables = g_environ_unsetenv(variables, name);
    }
    return {variables, &g_strfreev};
}

} // namespace

base::Result<std::unique_ptr<TestPeer>>
TestPeer::start(const shell::Listen& near, const std::string& directory, Ready ready) {
    const std::string address = near.address == "0.0.0.0" ? "127.0.0.1"
                                : near.address == "::"    ? "::1"
                                                          : near.address;
    const auto port = free_port(address);
    if (!port) {
        return base::fail(base::Errc::in_use,
                          fmt::format("no free port for a test peer on {}; give somebody else to "
                                      "call: drill URI",
                                      address));
    }
    const bool v6 = address.find(':') != std::string::npos;
    const std::string transport =
        !near.transport ? std::string{}
                        : fmt::format(";transport={}", call::transport_name(*near.transport));
    const std::string at =
        fmt::format("{}{}{}:{}{}", v6 ? "[" : "", address, v6 ? "]" : "", *port, transport);
    std::vector<std::string> words = command_line(at, directory);
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    int output = -1;
    GError* error = nullptr;
    // Its own session: a signal from our terminal is not for it. GLib closes all other descriptors
    // in it and has nobody wait for it.
    const gboolean started = g_spawn_async_with_pipes(
        nullptr, pointers.data(), environment().get(), G_SPAWN_STDERR_TO_DEV_NULL,
        [](gpointer) { static_cast<void>(::setsid()); }, nullptr, nullptr, nullptr, &output,
        nullptr, &error);
    if (started == FALSE) {
        base::Error failure{base::Errc::io,
                            fmt::format("cannot start a test peer: {}", error->message)};
        g_error_free(error);
        return base::fail(std::move(failure));
    }
    return std::unique_ptr<TestPeer>{
        new TestPeer{base::Fd{output}, "sip:drill@" + at, std::move(ready)}};
}

TestPeer::TestPeer(base::Fd output, std::string uri, Ready ready)
    : output_{std::move(output)}, uri_{std::move(uri)}, ready_{std::move(ready)},
      // SAFETY: both sources are members.
      readable_{base::on_readable(output_.get(), [this] { read(); })},
      deadline_{base::after_ms(ready_within_ms, [this] {
          tell(base::fail(base::Errc::not_now, "the test peer did not become ready in time"));
      })} {}

void TestPeer::read() {
    std::array<char, 4096> bytes{};
    const ssize_t size = ::read(output_.get(), bytes.data(), bytes.size());
    if (size > 0) {
        heard_.append(bytes.data(), static_cast<std::size_t>(size));
    }
    if (heard_.find(R"("event":"ready")") != std::string::npos) {
        tell(uri_);
    } else if (size <= 0 || heard_.size() > heard_max) {
        tell(base::fail(base::Errc::not_now, fmt::format("the test peer did not start; it said: {}",
                                                         base::printable(heard_, 300))));
    }
}

void TestPeer::tell(const base::Result<std::string>& uri) {
    // The pipe stays open: the peer is to write into it until we are killed.
    readable_.reset();
    deadline_.reset();
    if (const Ready ready = std::exchange(ready_, nullptr)) {
        ready(uri);
    }
}

} // namespace revenant::app
