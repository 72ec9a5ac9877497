// The Agent: which leg, which stack. What it says is in call_requests.cpp, what it hears in
// call_events.cpp, a start with calls in agent_restart.cpp.
#include "revenant/sip/agent.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <glib.h>

#include "revenant/base/log.hpp"
#include "revenant/base/random.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/agent_impl.hpp"
#include "sip/comeback/held_sockets.hpp"
#include "sip/comeback/stand_in.hpp"
#include "sip/names/names.hpp"
#include "sip/sofia/arrival.hpp"
#include "sip/sofia/cseq_numbers.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/library_clock.hpp"
#include "sip/sofia/library_thread.hpp"
#include "sip/sofia/name_hooks.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/outgoing_watch.hpp"
#include "sip/sofia/refusals.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

// The library's own diagnostics become ours, below everything else.
void log_line(void* /*stream*/, const char* format, va_list arguments) {
    std::array<char, 1024> line{};
    static_cast<void>(std::vsnprintf(line.data(), line.size(), format, arguments));
    base::log(base::Level::debug, std::string{"sofia: "} + line.data());
}

bool is_v6(const std::string& host) {
    return host.find(':') != std::string::npos;
}

} // namespace

base::Result<std::unique_ptr<Agent>> Agent::create(const Settings& settings, Listener& listener) {
    claim_library_thread();
    static bool initialised = false;
    if (!initialised) {
        initialised = true;
        su_log_redirect(nullptr, log_line, nullptr);
        su_init();
        su_log_set_level(nullptr, base::log_enabled(base::Level::debug) ? 3 : 0);
    }
    auto agent = std::make_unique<AgentImpl>(settings, listener);
    if (base::Status opened = agent->open(); !opened) {
        return base::fail(opened.error());
    }
    return agent;
}

AgentImpl::AgentImpl(Settings settings, Listener& listener)
    : settings_{std::move(settings)}, listener_{&listener},
      stand_in_name_{std::string{stand_in_prefix} + base::random_token(20)} {}

AgentImpl::~AgentImpl() {
    OutgoingWatch::tell({});
    set_dialog_hint({});
    set_path_hint({});
    Refusals::tell({});
    legs_.clear();
    lingering_.clear();
    retired_.clear();
    options_.clear();
    lookups_.clear();
    stacks_.clear();
    Names::close();
}

base::Status AgentImpl::open() {
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
    OutgoingWatch::tell(
        {.before_cancel_answer = [this](std::string_view call_id) { on_cancel(call_id); },
         .before_prack_answer = [this](std::string_view call_id,
                                       const std::string& prack) { on_prack(call_id, prack); },
         .before_refusal_ack = [this](const OutgoingWatch::Refusal& r) { on_refusal(r); },
         .before_invite = [this](const OutgoingWatch::Invite& i) { on_invite_leaving(i); }});
    // SAFETY: taken back in the destructor.
    set_dialog_hint([this](std::string_view call_id, std::string_view tag) {
        return last_heard(call_id, tag);
    });
    // SAFETY: taken back in the destructor.
    set_path_hint([this](std::string_view call_id, std::string_view tag) {
        const call::Dialog* dialog = dialog_of(call_id, tag);
        return dialog != nullptr ? !dialog->route_set.empty() || !dialog->outbound_proxy.empty()
                                 : !settings_.outbound_proxy.empty();
    });
    Refusals::tell([this](const std::string& realm) { return credentials_for(realm) != nullptr; });
    root_.reset(su_glib_root_create(nullptr));
    su_root_threading(root_.get(), 0);
    GSource* source = su_glib_root_gsource(root_.get());
    // Else GLib takes the stack's sockets off its list for each callback, puts them back, and wakes
    // itself up twice for it. No main loop runs within one of the stack's callbacks.
    g_source_set_can_recurse(source, TRUE);
    g_source_attach(source, nullptr);
    const HeldSockets::Watch watch;
    for (const Listen& listen : settings_.listen) {
        auto stack = Stack::create(root_.get(), listen, settings_, *this);
        if (!stack) {
            // Those that did open end first: a stack may only be destroyed when it is shut down.
            abandon_stacks();
            return base::fail(stack.error());
        }
        stacks_.push_back(std::move(*stack));
    }
    return {};
}

void AgentImpl::abandon_stacks() {
    bool done = stacks_.empty();
    if (!done) {
        shut_down([&] { done = true; });
    }
    while (!done) {
        g_main_context_iteration(nullptr, TRUE);
    }
    stacks_.clear();
}

std::string AgentImpl::contact_for(const call::Endpoint& local, call::Transport transport) const {
    const std::string user = aor_.user.empty() ? std::string{} : aor_.user + "@";
    const char* parameter = transport == call::Transport::tcp ? ";transport=tcp" : "";
    return fmt::format("<sip:{}{}{}>", user, host_port(local), parameter);
}

Stack* AgentImpl::stack_for(const call::Dialog& dialog) {
    const auto fits = [&](const auto& stack) {
        const std::string& at = stack->listen().at.address;
        const bool is_there = at == dialog.local_sip.address || at == "0.0.0.0" || at == "::";
        return is_there && stack->is_v6() == is_v6(dialog.local_sip.address) &&
               stack->listen().at.port == dialog.local_sip.port && stack->takes(dialog.transport);
    };
    const auto found = std::ranges::find_if(stacks_, fits);
    return found != stacks_.end() ? found->get() : nullptr;
}

const call::Dialog* AgentImpl::dialog_of(std::string_view call_id, std::string_view tag) const {
    for (const auto& [number, leg] : legs_) {
        const call::Dialog* dialog = listener_->dialog(number);
        if (dialog != nullptr && dialog->call_id == call_id && dialog->local_tag == tag) {
            return dialog;
        }
    }
    return nullptr;
}

// Where the other end of one of our dialogs was heard last.
call::Endpoint AgentImpl::last_heard(std::string_view call_id, std::string_view tag) const {
    const call::Dialog* dialog = dialog_of(call_id, tag);
    return dialog != nullptr ? dialog->remote_sip : call::Endpoint{};
}

Leg* AgentImpl::leg(call::Number number) {
    const auto found = legs_.find(number);
    return found != legs_.end() ? found->second.get() : nullptr;
}

Leg& AgentImpl::make_leg(Stack& stack, const call::Dialog& dialog) {
    auto& slot = legs_[dialog.number];
    slot = std::make_unique<Leg>(stack, stack.nua(), dialog);
    slot->key = leg_key(dialog.call_id, dialog.local_tag);
    legs_by_key_[slot->key] = dialog.number;
    Numbers::end(slot->key);
    return *slot;
}

base::Result<std::string> AgentImpl::stand_in_url(const Stack& stack) {
    auto& stand_in = stand_ins_.at(stack.is_v6() ? 1 : 0);
    if (!stand_in) {
        auto opened = StandIn::open(
            stack.is_v6() ? AF_INET6 : AF_INET, stand_in_name_,
            [this](std::string_view call_id, std::string_view tag) -> const call::Dialog* {
                const auto found = legs_by_key_.find(leg_key(call_id, tag));
                return found != legs_by_key_.end() ? listener_->dialog(found->second) : nullptr;
            });
        if (!opened) {
            return base::fail(opened.error());
        }
        stand_in = std::move(*opened);
    }
    return stand_in->url();
}

// The stack numbers its first request in a dialog that the peer began from the clock: seconds
// since 1900 / 4 modulo 2^30 at its start, and one more for each such dialog or loose request.
std::uint32_t AgentImpl::stack_cseq_bound() {
    clock_cseqs_ += 1;
    return static_cast<std::uint32_t>((library_seconds() / 4) & 0x3FFFFFFFU) + clock_cseqs_ + 1000;
}

const Credentials* AgentImpl::credentials_for(const std::string& realm) const {
    const auto fits = [&](const Credentials& c) { return c.realm.empty() || c.realm == realm; };
    const auto found = std::ranges::find_if(settings_.credentials, fits);
    return found != settings_.credentials.end() ? &*found : nullptr;
}

void AgentImpl::add_credentials(Credentials credentials) {
    settings_.credentials.insert(settings_.credentials.begin(), std::move(credentials));
}

void AgentImpl::retire(call::Number call) {
    Leg* leg = this->leg(call);
    const call::Dialog* dialog = listener_->dialog(call);
    // An INVITE that has not made a dialog is canceled with its handle.
    const bool is_made = dialog != nullptr && dialog->phase != call::Phase::inviting;
    const bool lingers = leg != nullptr && leg->is_inviting && is_made;
    if (lingers) {
        leg->last = *dialog;
    }
    give_up(call, lingers);
}

void AgentImpl::give_up(call::Number call, bool until_answered) {
    const auto found = legs_.find(call);
    if (found == legs_.end()) {
        return;
    }
    legs_by_key_.erase(found->second->key);
    Numbers::end(found->second->key);
    OutgoingWatch::let_go(found->second->held_back, false);
    OutgoingWatch::report_no_more(found->second->reported);
    releases_.erase(call);
    ringing_.erase(found->second->call_id);
    std::unique_ptr<Leg> leg = std::move(found->second);
    legs_.erase(found);
    if (until_answered) {
        lingering_.push_back(std::move(leg));
    } else {
        destroy_soon(std::move(leg));
    }
}

void AgentImpl::destroy_soon(const Leg& leg) {
    const auto is_it = [&](const std::unique_ptr<Leg>& other) { return other.get() == &leg; };
    const auto found = std::ranges::find_if(lingering_, is_it);
    if (found != lingering_.end()) {
        std::unique_ptr<Leg> last = std::move(*found);
        lingering_.erase(found);
        destroy_soon(std::move(last));
    }
}

// Not from inside the leg's own callback.
void AgentImpl::destroy_soon(std::unique_ptr<Leg> leg) {
    retired_.push_back(std::move(leg));
    if (!sweep_) {
        // SAFETY: the source is a member and goes before `this`.
        sweep_ = base::when_idle([this] {
            sweep_.reset();
            retired_.clear();
        });
    }
}

void AgentImpl::shut_down(std::function<void()> done) {
    lingering_.clear(); // the stack would wait for their answers
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

} // namespace revenant::sip
