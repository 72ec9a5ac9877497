#include "sip/core.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <glib.h>

#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/settings.hpp"
#include "sip/comeback/held_sockets.hpp"
#include "sip/names/names.hpp"
#include "sip/sofia/digest_scheme.hpp"
#include "sip/sofia/library_clock.hpp"
#include "sip/sofia/nonce_counts.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/our_dialogs.hpp"
#include "sip/sofia/stack.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

Core::Core(Settings settings) : settings_{std::move(settings)} {}

Core::~Core() {
    digest_scheme::tell({});
    lookups_.clear();
    stacks_.clear();
    Names::close();
}

base::Status Core::open(StackUser& user) {
    if (base::Status opened = open_identities(); !opened) {
        return opened;
    }
    // SAFETY: taken back in the destructor.
    digest_scheme::tell([this](const sip_t& message, const std::string& realm) {
        return credentials_for(account_of(message), realm);
    });
    if (!digest_scheme::is_in_place()) {
        return base::fail(base::Errc::unsupported,
                          "this libsofia-sip-ua keeps its own Digest authentication; install "
                          "Debian's 1.12.11");
    }
    nonce_counts::open(settings_.nonce_page);
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

base::Status Core::open_identities() {
    const auto add = [this](const account::Account& account) -> base::Status {
        const auto aor = read_uri(account.aor);
        if (!aor) {
            return base::fail(aor.error());
        }
        if (!account.outbound_proxy.empty()) {
            const auto proxy = read_uri(account.outbound_proxy);
            if (!proxy) {
                return base::fail(
                    base::Error{proxy.error().code, "outbound proxy: " + proxy.error().context});
            }
        }
        identities_.push_back({.account = account.name,
                               .aor = *aor,
                               .display_name = account.display_name,
                               .outbound_proxy = account.outbound_proxy,
                               .transport = account.transport});
        return {};
    };
    if (base::Status done = add({.name = {},
                                 .aor = settings_.aor,
                                 .display_name = settings_.display_name,
                                 .outbound_proxy = settings_.outbound_proxy});
        !done) {
        return done;
    }
    for (const account::Account& account : settings_.accounts) {
        if (base::Status done = add(account); !done) {
            return base::fail(done.error().code,
                              fmt::format("account {}: {}", account.name, done.error().context));
        }
    }
    return {};
}

const Identity& Core::identity(std::string_view account) const {
    const auto found = std::ranges::find(identities_, account, &Identity::account);
    return found != identities_.end() ? *found : identities_.front();
}

Identity* Core::find_identity(std::string_view account) {
    const auto found = std::ranges::find(identities_, account, &Identity::account);
    return found != identities_.end() ? &*found : nullptr;
}

const Identity* Core::account_at(const url_t& aor) const {
    const auto found = std::ranges::find_if(identities_, [&](const Identity& one) {
        return !one.account.empty() && text_of(aor.url_user) == one.aor.user &&
               base::equals_ignoring_case(text_of(aor.url_host), one.aor.host);
    });
    return found != identities_.end() ? &*found : nullptr;
}

const Identity& Core::identity_asked_by(const sip_t& request) const {
    if (const Identity* named = account_at(*request.sip_to->a_url)) {
        return *named;
    }
    // A proxy has changed the one, and not the other.
    const std::string user = text_of(request.sip_request->rq_url->url_user);
    const auto found = std::ranges::find_if(identities_, [&](const Identity& one) {
        return !one.account.empty() && one.aor.user == user;
    });
    return found != identities_.end() ? *found : identities_.front();
}

const Identity& Core::identity_answered_by(const sip_t& response) const {
    const Identity* named = account_at(*response.sip_from->a_url);
    return named != nullptr ? *named : identities_.front();
}

std::string Core::account_of(const sip_t& message) const {
    const call::Dialog* dialog =
        our_dialog(text_of(message.sip_call_id->i_id), text_of(message.sip_from->a_tag));
    return dialog != nullptr ? dialog->account : identity_answered_by(message).account;
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

const Credentials* Core::credentials_for(std::string_view account, const std::string& realm) const {
    const auto find = [&](std::string_view owner) -> const Credentials* {
        const auto found = std::ranges::find_if(settings_.credentials, [&](const Credentials& c) {
            return c.account == owner && (c.realm.empty() || c.realm == realm);
        });
        return found != settings_.credentials.end() ? &*found : nullptr;
    };
    const Credentials* own = find(account);
    return own != nullptr || account.empty() ? own : find({});
}

base::Result<Credentials> Core::add_credentials(Credentials credentials) {
    if (credentials.user.empty()) {
        if (credentials.realm.empty() && unanswered_ &&
            (credentials.account.empty() || credentials.account == unanswered_->account)) {
            credentials.account = unanswered_->account;
            credentials.realm = unanswered_->realm;
        }
        const auto named =
            std::ranges::find(settings_.accounts, credentials.account, &account::Account::name);
        credentials.user = named != settings_.accounts.end() && !named->user.empty()
                               ? named->user
                               : identity(credentials.account).aor.user;
    }
    if (credentials.user.empty()) {
        return base::fail(base::Errc::bad_input, "our own address names no user; give one: key "
                                                 "REALM USER PASSWORD");
    }
    unanswered_.reset();
    settings_.credentials.insert(settings_.credentials.begin(), credentials);
    return credentials;
}

void Core::note_unanswered(std::string account, std::string realm) {
    unanswered_ = {.account = std::move(account), .realm = std::move(realm)};
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

std::string
Core::address_of(const Identity& identity, const call::Endpoint& local, call::Transport transport) {
    const std::string user = identity.aor.user.empty() ? std::string{} : identity.aor.user + "@";
    return fmt::format("sip:{}{}{}", user, host_port(local), call::transport_parameter(transport));
}

std::string Core::contact_for(const Identity& identity,
                              const call::Endpoint& local,
                              call::Transport transport) {
    return fmt::format("<{}>", identity.gruu.empty() ? address_of(identity, local, transport)
                                                     : identity.gruu);
}

// The stack numbers its first request in a dialog that the peer began from the clock: seconds
// since 1900 / 4 modulo 2^30 at its start, and one more for each such dialog or loose request.
std::uint32_t Core::cseq_bound() {
    clock_cseqs_ += 1;
    return static_cast<std::uint32_t>((library_seconds() / 4) & 0x3FFFFFFFU) + clock_cseqs_ + 1000;
}

} // namespace revenant::sip
