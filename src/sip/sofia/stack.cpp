#include "sip/sofia/stack.hpp"

#include <cassert>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include <fmt/format.h>
#include <sofia-sip/sresolv.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/in_hand.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/sip/settings.hpp"
#include "sip/sofia/arrival.hpp"
#include "sip/sofia/forks.hpp"
#include "sip/sofia/library_limits.hpp"
#include "sip/sofia/name_hooks.hpp"
#include "sip/sofia/transactions.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

constexpr const char* allowed_methods = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO";
// What the stack would else answer by itself, before anything could be stored. It adds these to its
// own, which are INVITE and three that are not allowed.
constexpr const char* methods_of_ours = "INVITE, UPDATE, BYE, INFO";
constexpr unsigned udp_receive_buffer = 4 << 20; // the default holds 92 messages

// One that makes the stack a handle of its own.
bool is_request(nua_event_t event) {
    return event == nua_i_invite || event == nua_i_options || event == nua_i_info ||
           event == nua_i_message || event == nua_i_method || event == nua_i_refer ||
           event == nua_i_subscribe || event == nua_i_notify || event == nua_i_publish ||
           event == nua_i_update || event == nua_i_bye || event == nua_i_register;
}

std::string nua_url(const Listen& listen) {
    std::string url = "sip:" + host_port(listen.at);
    if (listen.transport) {
        url.append(";transport=").append(call::transport_name(*listen.transport));
    }
    return url;
}

// The stack reports a failed bind as no more than "failed"; trying it ourselves tells why.
base::Error why_not(const Listen& listen, int kind) {
    const auto address = base::SocketAddress::numeric(listen.at.address, listen.at.port);
    const std::string where = host_port(listen.at);
    const char* protocol = kind == SOCK_STREAM ? "tcp" : "udp";
    if (!address) {
        return {base::Errc::bad_input,
                fmt::format("cannot listen on {}: not a numeric address", where)};
    }
    const base::Fd probe{::socket(address->family(), kind | SOCK_CLOEXEC, 0)};
    const int yes = 1;
    if (kind == SOCK_STREAM) {
        static_cast<void>(::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    }
    const bool bound = ::bind(probe.get(), address->data(), address->size()) == 0 &&
                       (kind != SOCK_STREAM || ::listen(probe.get(), 1) == 0);
    if (bound) {
        return {base::Errc::io, {}};
    }
    switch (errno) {
    case EADDRINUSE:
        return {base::Errc::in_use,
                fmt::format("cannot listen on {} ({}): another program has that port; end it or "
                            "choose another port with --listen",
                            where, protocol)};
    case EADDRNOTAVAIL:
        return {base::Errc::not_found,
                fmt::format("cannot listen on {}: this machine does not have that address; "
                            "`ip address` lists those that it has",
                            where)};
    case EACCES:
        return {base::Errc::io, fmt::format("cannot listen on {}: ports below 1024 need root; "
                                            "choose another with --listen",
                                            where)};
    default:
        return {base::Errc::io,
                fmt::format("cannot listen on {} ({}): {}", where, protocol, std::strerror(errno))};
    }
}

base::Error bind_error(const Listen& listen) {
    for (const int kind : {SOCK_DGRAM, SOCK_STREAM}) {
        if (listen.transport && call::is_stream(*listen.transport) != (kind == SOCK_STREAM)) {
            continue;
        }
        base::Error error = why_not(listen, kind);
        if (!error.context.empty()) {
            return error;
        }
    }
    return {base::Errc::io,
            fmt::format("cannot listen on {}: the SIP stack refused it", host_port(listen.at))};
}

} // namespace

base::Result<std::unique_ptr<Stack>>
Stack::create(su_root_t* root, const Listen& listen, const Settings& settings, StackUser& user) {
    std::unique_ptr<Stack> stack{new Stack{listen, user}};
    const std::string url = nua_url(listen);
    // The stand-in speaks UDP, so a socket for it there must be, also where calls are TCP.
    const bool streams_only = listen.transport && call::is_stream(*listen.transport);
    const std::string extra =
        fmt::format("sip:{}:*;transport=udp",
                    stack->is_v6() ? "[" + listen.at.address + "]" : listen.at.address);
    const unsigned interval = settings.session_expires_s;
    const bool is_wildcard = listen.at.address == "0.0.0.0" || listen.at.address == "::";
    // SAFETY: the Stack outlives its nua: ~Stack destroys it.
    stack->nua_ = nua_create(
        root, on_nua, stack.get(), NUTAG_URL(url.c_str()),
        TAG_IF(streams_only, NUTAG_SIPS_URL(extra.c_str())),
        // Each answer waits for the journal: nothing is sent by itself.
        NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0), NUTAG_AUTOACK(0),
        NUTAG_APPL_METHOD(methods_of_ours),
        // Not NUTAG_ALLOW, which adds to what the stack would allow by itself.
        SIPTAG_ALLOW_STR(allowed_methods), agent_slot,
        reinterpret_cast<tag_value_t>(&stack->agent_),
        // A redirected re-INVITE would take the dialog elsewhere.
        NUTAG_AUTO302(0), NUTAG_AUTO305(0), NUTAG_EARLY_MEDIA(0), NUTAG_ENABLEMESSAGE(0),
        SIPTAG_SUPPORTED_STR("timer, 100rel"), SIPTAG_USER_AGENT_STR("revenant"),
        NUTAG_SESSION_TIMER(interval), NUTAG_MIN_SE(interval != 0 && interval < 90 ? interval : 90),
        // No keep-alives or address discovery: the Contact is exactly ours.
        NUTAG_OUTBOUND("no-natify no-options-keepalive no-validate"),
        TPTAG_UDP_RMEM(udp_receive_buffer), NTATAG_MAXSIZE(message_size_max()),
        SRESTAG_CACHE(name_cache()),
        // Else each description makes the stack list the machine's interfaces, twice.
        TAG_IF(!is_wildcard, SOATAG_ADDRESS(listen.at.address.c_str())), TAG_END());
    if (stack->nua_ == nullptr) {
        stack->is_shut_down_ = true;
        return base::fail(bind_error(listen));
    }
    tell_reach(stack->agent_,
               {.v4 = !stack->is_v6(),
                .v6 = stack->is_v6(),
                .udp = stack->takes(call::Transport::udp),
                .tcp = stack->takes(call::Transport::tcp)},
               !settings.outbound_proxy.empty());
    // SAFETY: the agent goes with its nua, before the Stack.
    nta_outgoing_default(stack->agent_, on_stray,
                         reinterpret_cast<nta_outgoing_magic_t*>(stack.get()));
    return stack;
}

Stack::~Stack() {
    assert(is_shut_down_);
    forget_reach(agent_);
    if (nua_ != nullptr) {
        nua_destroy(nua_);
    }
}

std::string Stack::local_address(const std::string& remote) const {
    if (listen_.at.address != "0.0.0.0" && listen_.at.address != "::") {
        return listen_.at.address;
    }
    const auto address = base::SocketAddress::numeric(remote, 9);
    if (!address) {
        return {};
    }
    // Connecting a UDP socket sends nothing; it only asks for the route.
    const base::Fd probe{::socket(address->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const bool connected = ::connect(probe.get(), address->data(), address->size()) == 0;
    const auto local = connected ? base::SocketAddress::of(probe.get()) : std::nullopt;
    return local ? local->host() : std::string{};
}

void Stack::shut_down(std::function<void()> done) {
    on_shut_down_ = std::move(done);
    nua_shutdown(nua_);
}

void Stack::on_nua(nua_event_t event,
                   int status,
                   const char* phrase,
                   nua_t* nua,
                   Stack* stack,
                   nua_handle_t* handle,
                   HandleUser* owner,
                   const sip_t* sip,
                   tagi_t tags[]) {
    base::at_boundary("nua event", [&] {
        const std::uint32_t number = owner != nullptr ? owner->number() : 0;
        const Raw raw{.event = event,
                      .status = status,
                      .phrase = phrase,
                      .sip = sip,
                      .tags = tags,
                      .message = nua_current_request(nua)};
        if (base::log_enabled(base::Level::debug)) {
            base::log(base::Level::debug, fmt::format("{} {} {} call {}", nua_event_name(event),
                                                      status, text_of(phrase), number));
        }
        const base::InHand hand{number};
        stack->dispatch(raw, handle, owner);
    });
}

int Stack::on_stray(nta_outgoing_magic_t* stack, nta_outgoing_t* /*request*/, const sip_t* sip) {
    base::at_boundary("stray response", [&] {
        const bool answers_invite =
            sip != nullptr && sip->sip_status != nullptr && sip->sip_status->st_status / 100 == 2 &&
            sip->sip_cseq != nullptr && sip->sip_cseq->cs_method == sip_method_invite;
        if (answers_invite) {
            auto* self = reinterpret_cast<Stack*>(stack);
            self->user_->on_stray_answer(*self, *sip, is_of_other_fork());
        }
    });
    return 0;
}

void Stack::dispatch(const Raw& raw, nua_handle_t* handle, HandleUser* owner) {
    if (raw.event == nua_r_shutdown) {
        if (raw.status >= 200 && !is_shut_down_) {
            is_shut_down_ = true;
            if (on_shut_down_) {
                on_shut_down_();
            }
        }
        return;
    }
    if (handle == nullptr) {
        return;
    }
    if (owner != nullptr) {
        owner->on_handle_event(raw);
    } else if (is_request(raw.event)) {
        Handle fresh{handle};
        if (raw.status < 200) { // else the stack has answered it by itself
            user_->on_request(*this, fresh, raw);
        }
    }
}

} // namespace revenant::sip
