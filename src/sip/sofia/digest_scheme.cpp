#include "sip/sofia/digest_scheme.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "revenant/account/event.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/boundary.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/interpose/under_way.hpp"
#include "sip/sofia/challenges.hpp"
#include "sip/sofia/digest.hpp"
#include "sip/sofia/nonce_counts.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t remembered_max = 16; // requests whose answers are waited for
constexpr std::size_t realms_max = 8;      // of one dialog; each is answered in every request

// Which nonce a request of ours had credentials for.
struct Sent {
    std::uint32_t cseq = 0;
    std::string nonce;
    bool is_first = false; // of those with a nonce that a challenge had brought
};

// A challenge of one realm to one handle.
struct Kept {
    std::string key;
    account::Challenge challenge;
    bool is_fresh = false;   // nothing has been sent for it yet
    bool is_refused = false; // wrong credentials; until the next challenge
    std::deque<Sent> sent;   // the last ones
};

// What the library allocates for each realm, filled with zeros.
struct Client {
    auth_client_t library;
    Kept* kept;
};

std::unordered_map<std::string, Kept*>& registry() {
    static std::unordered_map<std::string, Kept*> all;
    return all;
}

digest_scheme::Find& finder() {
    static digest_scheme::Find find;
    return find;
}

digest_scheme::Waits& waits() {
    static digest_scheme::Waits waits_of_calls;
    return waits_of_calls;
}

const Credentials* find(const sip_t& message, const std::string& realm) {
    return finder() ? finder()(message, realm) : nullptr;
}

std::string dialog_key(const sip_t& message) {
    return text_of(message.sip_call_id->i_id)
        .append(1, ' ')
        .append(text_of(message.sip_from->a_tag))
        .append(1, ' ');
}

std::string key_of(const sip_t& message, bool is_proxys, std::string_view realm) {
    return dialog_key(message).append(is_proxys ? "proxy " : "server ").append(realm);
}

std::size_t realms_of(const sip_t& message) {
    const std::string prefix = dialog_key(message);
    return static_cast<std::size_t>(std::ranges::count_if(
        registry(), [&](const auto& entry) { return entry.first.starts_with(prefix); }));
}

Kept* kept_for(const sip_t& message, const account::Challenge& challenge) {
    const auto found = registry().find(key_of(message, challenge.is_proxys, challenge.realm));
    return found != registry().end() ? found->second : nullptr;
}

// Whether the answer means that the credentials are wrong.
bool refuses(const account::Challenged& challenged, const Kept* kept, std::uint32_t cseq) {
    if (kept == nullptr || challenged.is_stale) {
        return false;
    }
    const auto sent = std::ranges::find(kept->sent, cseq, &Sent::cseq);
    return sent != kept->sent.end() &&
           (sent->is_first || sent->nonce == challenged.challenge.nonce);
}

// ---- The plugin: what the library calls
// ----------------------------------------------------------

Kept* kept_of(auth_client_t* client) {
    // SAFETY: made by the library with the plugin's size.
    return reinterpret_cast<Client*>(client)->kept;
}

void forget(void* client) {
    const std::unique_ptr<Kept> kept{std::exchange(static_cast<Client*>(client)->kept, nullptr)};
    const auto known = kept ? registry().find(kept->key) : registry().end();
    if (known != registry().end() && known->second == kept.get()) {
        registry().erase(known);
    }
}

// Without both the library waits for nua_authenticate. They are never said.
void set_known(auth_client_t* client, bool is_known) {
    static char nothing[] = "-";
    client->ca_user = is_known ? nothing : nullptr;
    client->ca_pass = is_known ? nothing : nullptr;
}

int on_challenge(auth_client_t* client, const msg_auth_t* header) {
    const sip_t* answer = hooks.challenge;
    int result = -1;
    base::at_boundary("a challenge", [&] {
        const bool is_proxys = header->au_common->h_class == sip_proxy_authenticate_class;
        const auto challenged = challenge_of(*header, is_proxys);
        if (answer == nullptr || !challenged) {
            return;
        }
        Kept* kept = kept_of(client);
        if (kept == nullptr) {
            kept = std::make_unique<Kept>().release(); // the library's to destroy
            reinterpret_cast<Client*>(client)->kept = kept;
            su_home_destructor(client->ca_home, forget);
        }
        kept->key = key_of(*answer, is_proxys, challenged->challenge.realm);
        registry()[kept->key] = kept;
        kept->challenge = challenged->challenge;
        kept->is_fresh = true;
        kept->is_refused = false;
        set_known(client, !waits() || !waits()(*answer));
        result = 2; // the request is to be sent again
    });
    return result;
}

int on_authorize(auth_client_t* client,
                 su_home_t* home,
                 const char* method,
                 const url_t* url,
                 const msg_payload_t* body,
                 msg_header_t** made) {
    *made = nullptr;
    base::at_boundary("credentials", [&] {
        // SAFETY: a message is its own home (msg_home), and nua gives that.
        const sip_t* request = sip_object(reinterpret_cast<msg_t*>(home));
        Kept* kept = kept_of(client);
        const Credentials* known = request != nullptr && kept != nullptr && !kept->is_refused
                                       ? find(*request, kept->challenge.realm)
                                       : nullptr;
        if (known == nullptr) {
            return;
        }
        kept->challenge.nonce_count = nonce_counts::next(known->user, kept->challenge);
        const std::string value = authorization(
            kept->challenge, *known,
            {.method = method,
             .uri = uri_text(url),
             .body = body != nullptr ? std::string{body->pl_data, body->pl_len} : std::string{}});
        if (value.empty()) {
            return;
        }
        kept->sent.push_back({.cseq = request->sip_cseq->cs_seq,
                              .nonce = kept->challenge.nonce,
                              .is_first = std::exchange(kept->is_fresh, false)});
        if (kept->sent.size() > remembered_max) {
            kept->sent.pop_front();
        }
        *made = msg_header_make(home, client->ca_credential_class, value.c_str());
    });
    return 0;
}

int on_info(auth_client_t* client, const msg_auth_info_t* info) {
    Kept* kept = kept_of(client);
    if (kept == nullptr) {
        return 0;
    }
    int result = 0;
    base::at_boundary("Authentication-Info", [&] {
        const std::string next = next_nonce_of(info);
        if (!next.empty() && next != kept->challenge.nonce) {
            kept->challenge.nonce = next;
            kept->challenge.nonce_count = 0;
            kept->is_fresh = false; // no challenge to a request
            result = 1;
        }
    });
    return result;
}

int on_clear(auth_client_t* client) {
    set_known(client, false);
    return 1;
}

int on_save(auth_client_t* client,
            const char* /*scheme*/,
            const char* /*realm*/,
            const char* /*user*/,
            const char* /*password*/) {
    set_known(client, true);
    return 1;
}

int on_copy(auth_client_t* /*to*/, const auth_client_t* /*from*/) {
    return 0; // of registrations, which are not the library's
}

constexpr auth_client_plugin_t plugin{.auc_plugin_size = sizeof(auth_client_plugin_t),
                                      .auc_size = sizeof(Client),
                                      .auc_name = "Digest",
                                      .auc_challenge = on_challenge,
                                      .auc_authorize = on_authorize,
                                      .auc_info = on_info,
                                      .auc_clear = on_clear,
                                      .auc_save_credentials = on_save,
                                      .auc_copy_credentials = on_copy};

// auc_register_plugin replaces the first plugin whose name is another one, which it says it does to
// the one of that name: this takes the place of the library's Digest, and gives it to ours. A
// library that does as it says takes this as one more scheme, which nobody asks for.
constexpr auth_client_plugin_t placeholder{.auc_plugin_size = sizeof(auth_client_plugin_t),
                                           .auc_size = sizeof(Client),
                                           .auc_name = "revenant-placeholder",
                                           .auc_challenge = on_challenge,
                                           .auc_authorize = on_authorize,
                                           .auc_info = on_info,
                                           .auc_clear = on_clear,
                                           .auc_save_credentials = on_save,
                                           .auc_copy_credentials = on_copy};

// Before any handle is made.
const bool is_registered =
    auc_register_plugin(&placeholder) == 0 && auc_register_plugin(&plugin) == 0;

} // namespace

void digest_scheme::tell(Find find) {
    finder() = std::move(find);
}

void digest_scheme::tell_waits(Waits waits_of_calls) {
    waits() = std::move(waits_of_calls);
}

bool digest_scheme::is_in_place() {
    const Home home = make_home();
    auth_client_t* clients = nullptr;
    const msg_header_t* header =
        msg_header_make(home.get(), sip_www_authenticate_class, "Digest realm=\"r\"");
    // Refused by ours, which has no answer in hand; the library's would take it.
    return is_registered && header != nullptr &&
           auc_challenge(&clients, home.get(), header->sh_auth, sip_authorization_class) < 0;
}

digest_scheme::Challenges::Challenges(const sip_t& answer) : home_{make_home()}, shown_{answer} {
    shown_.sip_www_authenticate = nullptr;
    shown_.sip_proxy_authenticate = nullptr;
    const std::uint32_t cseq = answer.sip_cseq->cs_seq;
    bool is_refused = false;
    std::size_t realms = realms_of(answer);
    for (const account::Challenged& one : challenges_of(answer)) {
        const account::Challenge& challenge = one.challenge;
        if (find(answer, challenge.realm) == nullptr) {
            continue;
        }
        Kept* kept = kept_for(answer, challenge);
        if (kept == nullptr && ++realms > realms_max) {
            continue;
        }
        if (refuses(one, kept, cseq)) {
            kept->is_refused = true;
            is_refused = true;
        }
        msg_auth_t*& list =
            challenge.is_proxys ? shown_.sip_proxy_authenticate : shown_.sip_www_authenticate;
        msg_header_t* header = msg_header_make(home_.get(),
                                               challenge.is_proxys ? sip_proxy_authenticate_class
                                                                   : sip_www_authenticate_class,
                                               text_of(challenge).c_str());
        if (header != nullptr) {
            header->sh_auth->au_next = list;
            list = header->sh_auth;
        }
    }
    is_answerable_ = !is_refused && (shown_.sip_www_authenticate != nullptr ||
                                     shown_.sip_proxy_authenticate != nullptr);
}

digest_scheme::Complaint digest_scheme::complaint_of(const sip_t& answer) {
    const auto all = challenges_of(answer);
    const auto refused = std::ranges::find_if(all, [&](const account::Challenged& one) {
        const Kept* kept = kept_for(answer, one.challenge);
        return kept != nullptr && kept->is_refused;
    });
    const auto known = std::ranges::find_if(all, [&](const account::Challenged& one) {
        return find(answer, one.challenge.realm) != nullptr;
    });
    const auto chosen = refused != all.end() ? refused : known != all.end() ? known : all.begin();
    return chosen == all.end()
               ? Complaint{}
               : Complaint{.realm = chosen->challenge.realm,
                           .have_credentials = refused != all.end() || known != all.end()};
}

} // namespace revenant::sip
