#include "app/keeper_link.hpp"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "app/kept_configuration.hpp"
#include "app/service_manager.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/keeper/slate.hpp"
#include "revenant/sip/connections.hpp"

namespace revenant::app {

namespace {

constexpr const char* sip_name = "sip";

std::string rtp_name(call::Number call) {
    return fmt::format("rtp-{}", call);
}

std::string rtcp_name(call::Number call) {
    return fmt::format("rtcp-{}", call);
}

constexpr std::string_view connection_prefix = "sip-tcp-";

// Each has a name of its own, because a keeper lets go of all that share one.
std::string connection_name(std::uint32_t id) {
    return fmt::format("{}{}", connection_prefix, id);
}

std::optional<std::uint32_t> connection_id(std::string_view name) {
    if (!name.starts_with(connection_prefix)) {
        return std::nullopt;
    }
    name.remove_prefix(connection_prefix.size());
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    const bool is_whole = error == std::errc{} && end == name.data() + name.size();
    return is_whole ? std::optional{id} : std::nullopt;
}

// All that the environment hands on, by name.
std::multimap<std::string, base::Fd> take_held() {
    std::multimap<std::string, base::Fd> held;
    int fd = first_handed_fd;
    for (std::string& name : handed_names()) {
        held.emplace(std::move(name), base::Fd{fd++});
    }
    take_handed();
    return held;
}

base::Fd take_one(std::multimap<std::string, base::Fd>& held, const char* name) {
    const auto found = held.find(name);
    base::Fd fd;
    if (found != held.end()) {
        fd = std::move(found->second);
        held.erase(found);
    }
    return fd;
}

} // namespace

Keeping::Keeping()
    : is_kept_{std::getenv("NOTIFY_SOCKET") != nullptr}, held_{take_held()},
      slate_{take_one(held_, keeper::slate_name), is_kept_},
      configuration_{take_one(held_, configuration_name)}, is_return_{!held_.empty()} {
    const char* const death = std::getenv("KEEPER_DEATH");
    last_death_ = is_kept_ && death != nullptr ? base::printable(death, 100) : "";
    hold(keeper::slate_name, slate_.fd());
}

void Keeping::watch_keeper(std::function<void()> on_gone) {
    const char* const text = std::getenv("KEEPER_PID");
    const auto pid = is_kept_ && text != nullptr ? base::to_u32(text) : std::nullopt;
    if (!pid) {
        return;
    }
    const auto gone = [this, on_gone = std::move(on_gone)] {
        keeper_watch_.reset();
        is_kept_ = false;
        heartbeat_.stop();
        on_gone();
    };
    keeper_.reset(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
    if (::getppid() != static_cast<pid_t>(*pid)) { // it was quicker
        keeper_watch_ = base::when_idle(gone);
    } else if (keeper_) {
        keeper_watch_ = base::on_readable(keeper_.get(), gone);
    }
}

std::vector<base::Fd> Keeping::take_sip() {
    std::vector<base::Fd> sockets;
    const auto [first, last] = held_.equal_range(sip_name);
    for (auto one = first; one != last; ++one) {
        sockets.push_back(std::move(one->second));
    }
    held_.erase(first, last);
    return sockets;
}

std::vector<sip::KeptConnection> Keeping::take_connections() {
    std::vector<sip::KeptConnection> connections;
    for (auto one = held_.begin(); one != held_.end();) {
        const auto id = connection_id(one->first);
        if (id) {
            connections.push_back({.id = *id, .socket = std::move(one->second)});
        }
        one = id ? held_.erase(one) : std::next(one);
    }
    return connections;
}

std::optional<Keeping::Ports> Keeping::take_ports(call::Number call) {
    const auto rtp = held_.find(rtp_name(call));
    const auto rtcp = held_.find(rtcp_name(call));
    if (rtp == held_.end() || rtcp == held_.end()) {
        return std::nullopt;
    }
    Ports ports{.rtp = std::move(rtp->second), .rtcp = std::move(rtcp->second)};
    held_.erase(rtp);
    held_.erase(rtcp);
    return ports;
}

void Keeping::drop_rest() {
    for (const auto& [name, fd] : held_) {
        drop(name);
    }
    held_.clear();
}

void Keeping::hold_sip(int socket) {
    hold(sip_name, socket);
}

void Keeping::hold_ports(call::Number call, int rtp, int rtcp) {
    hold(rtp_name(call), rtp);
    hold(rtcp_name(call), rtcp);
}

void Keeping::drop_ports(call::Number call) {
    drop(rtp_name(call));
    drop(rtcp_name(call));
}

void Keeping::hold_connection(std::uint32_t id, int socket) {
    hold(connection_name(id), socket);
}

void Keeping::drop_connection(std::uint32_t id) {
    drop(connection_name(id));
}

void Keeping::hold_configuration(const shell::Configuration& configuration) {
    if (!is_kept_ || read_stored(configuration_.get()) == configuration) {
        return;
    }
    if (configuration_) {
        drop(configuration_name);
    }
    configuration_ = stored(configuration);
    hold(configuration_name, configuration_.get());
}

void Keeping::drop_configuration() const {
    drop(configuration_name);
}

void Keeping::say_ready(const std::string& status) {
    if (!is_kept_) {
        return;
    }
    tell_manager(fmt::format("READY=1\nSTATUS={}", status));
    heartbeat_.set_ready();
}

void Keeping::hold(const std::string& name, int fd) const {
    if (is_kept_ && fd >= 0) {
        // FDPOLL=0: an error queued on the socket (an ICMP message) is no reason to let go of it.
        const std::string text = fmt::format("FDSTORE=1\nFDPOLL=0\nFDNAME={}", name);
        tell_manager(text, fd);
    }
}

void Keeping::drop(const std::string& name) const {
    if (is_kept_) {
        tell_manager(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name));
    }
}

} // namespace revenant::app
