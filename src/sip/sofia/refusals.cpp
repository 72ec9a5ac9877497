#include "sip/sofia/refusals.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "revenant/base/boundary.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/message_facts.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

namespace {

refusals::HasCredentials& listener() {
    static refusals::HasCredentials has_credentials;
    return has_credentials;
}

// What a message whose request is over carries in `sip_user`, which the library does not use.
int final_mark = 0; // NOLINT(*-avoid-non-const-global-variables): only its address counts

bool is_challenge(int status) {
    return status == 401 || status == 407;
}

bool is_answerable(const sip_t& challenge) {
    return listener() && listener()(realm_of(&challenge));
}

// Those that a call goes on without.
bool may_be_refused(sip_method_t method) {
    return method == sip_method_invite || method == sip_method_update ||
           method == sip_method_info || method == sip_method_options || method == sip_method_prack;
}

} // namespace

void refusals::tell(HasCredentials has_credentials) {
    listener() = std::move(has_credentials);
}

bool refusals::is_final(const sip_t& challenge) {
    return challenge.sip_user == &final_mark;
}

bool refusals::forget_offer(soa_session_t* session) {
    const char* text = nullptr;
    isize_t length = 0;
    if (soa_has_received_sdp(session) == 0 ||
        soa_get_remote_sdp(session, nullptr, &text, &length) <= 0) {
        return false;
    }
    const std::string offer{text, static_cast<std::size_t>(length)};
    soa_init_offer_answer(session);
    return soa_set_remote_sdp(session, nullptr, offer.c_str(),
                              static_cast<issize_t>(offer.size())) >= 0;
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

// Of an INVITE that is to begin a dialog this is asked too; it ends all the same, because there is
// none yet.
int terminates_dialog(int status, sip_method_t method, int* ends_usage) {
    const bool is_ours = ends_usage != nullptr; // else we have refused it
    if (is_ours && may_be_refused(method)) {
        *ends_usage = 0;
        return 0;
    }
    return hooks.sip_response_terminates_dialog.own()(status, method, ends_usage);
}

int hear_response(nua_client_request* request, int status, const char* phrase, const sip_t* sip) {
    // Above that the function above is not asked, and the dialog ended.
    constexpr int internal_error = 700;
    return hooks.nua_client_response.own()(request, status < internal_error ? status : 500, phrase,
                                           sip);
}

int check_restart(nua_client_request* request, int status, const char* phrase, const sip_t* sip) {
    auto* const own = hooks.nua_client_check_restart.own();
    if (!is_challenge(status)) {
        return own(request, status, phrase, sip);
    }
    bool answerable = false;
    base::at_boundary("a challenge", [&] { answerable = is_answerable(*sip); });
    const int restarts = answerable ? own(request, status, phrase, sip) : 0;
    if (restarts == 0) {
        const_cast<sip_t*>(sip)->sip_user = &final_mark; // as the library does with its parts
    }
    return restarts;
}

const Standing ends{hooks.sip_response_terminates_dialog, terminates_dialog};
const Standing responses{hooks.nua_client_response, hear_response};
const Standing restarts{hooks.nua_client_check_restart, check_restart};

} // namespace

} // namespace revenant::sip
