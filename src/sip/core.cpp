#include "sip/core.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <glib.h>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/settings.hpp"
#include "sip/comeback/held_sockets.hpp"
#include "sip/names/names.hpp"
#include "sip/sofia/library_clock.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/refusals.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

Core::Core(Settings settings) : settings_{std::move(settings)} {}

Core::~Core() {
    refusals::tell({});
    lookups_.clear();
    stacks_.clear();
    Names::close();
}

base::Status Core::open(StackUser& user) {
    const auto aor = read_uri(settings_.aor);
    if (!aor) {
        return base::fail(aor.error());
    }
    aor_ = *aor;
    if (!settings_.outbound_proxy.empty()) {
        const auto proxy = read_uri(settings_.outbound_proxy);
        if (!proxy) {
            return base::fail(
                base::Error{proxy.error().code, "outbound proxy: " + proxy.error().context});
        }
    }
    // SAFETY: taken back in the destructor.
    refusals::tell([this](const std::string& realm) { return credentials_for(realm) != nullptr; });
    root_.reset(su_glib_root_create(nullptr));
    su_root_threading(root_.get(), 0);
    GSource* source = su_glib_root_gsource(root_.get());
    // Else GLib takes the stack's sockets off its list for each callback, puts them back, and wakes
    // itself up twice for it. No main loop runs within one of the stack's callbacks.
    g_source_set_can_recurse(source, TRUE);
    g_source_attach(source, nullptr);
    const held_sockets::Watch watch;
    for (const Listen& listen : settings_.listen) {
        auto stack = Stack::create(root_.get(), listen, settings_, user);
        if (!stack) {
            // Those that did open end first: a stack may only be destroyed when it is shut down.
            abandon_stacks();
            return base::fail(stack.error());
        }
        stacks_.push_back(std::move(*stack));
    }
    return {};
}

void Core::abandon_stacks() {
    bool done = stacks_.empty();
    if (!done) {
        shut_down([&] { done = true; });
    }
    while (!done) {
        g_main_context_iteration(nullptr, TRUE);
    }
    stacks_.clear();
}

void Core::shut_down(std::function<void()> done) {
    auto left = std::make_shared<std::size_t>(stacks_.size());
    auto finished = std::make_shared<std::function<void()>>(std::move(done));
    if (stacks_.empty()) {
        (*finished)();
        return;
    }
    for (const auto& stack : stacks_) {
        // Shared by the stacks, which end in any order.
        stack->shut_down([left, finished] {
            if (--*left == 0) {
                (*finished)();
            }
        });
    }
}

const Credentials* Core::credentials_for(const std::string& realm) const {
    const auto fits = [&](const Credentials& c) { return c.realm.empty() || c.realm == realm; };
    const auto found = std::ranges::find_if(settings_.credentials, fits);
    return found != settings_.credentials.end() ? &*found : nullptr;
}

void Core::add_credentials(Credentials credentials) {
    settings_.credentials.insert(settings_.credentials.begin(), std::move(credentials));
}

Stack* Core::stack_at(const call::Endpoint& local, call::Transport transport) const {
    const bool is_v6 = local.address.find(':') != std::string::npos;
    const auto fits = [&](const auto& stack) {
        const std::string& at = stack->listen().at.address;
        const bool is_there = at == local.address || at == "0.0.0.0" || at == "::";
        return is_there && stack->is_v6() == is_v6 && stack->listen().at.port == local.port &&
               stack->takes(transport);
    };
    const auto found = std::ranges::find_if(stacks_, fits);
    return found != stacks_.end() ? found->get() : nullptr;
}

std::string Core::contact_for(const call::Endpoint& local, call::Transport transport) const {
    const std::string user = aor_.user.empty() ? std::string{} : aor_.user + "@";
    return fmt::format("<sip:{}{}{}>", user, host_port(local),
                       call::transport_parameter(transport));
}

// The stack numbers its first request in a dialog that the peer began from the clock: seconds
// since 1900 / 4 modulo 2^30 at its start, and one more for each such dialog or loose request.
std::uint32_t Core::cseq_bound() {
    clock_cseqs_ += 1;
    return static_cast<std::uint32_t>((library_seconds() / 4) & 0x3FFFFFFFU) + clock_cseqs_ + 1000;
}

} // namespace revenant::sip
