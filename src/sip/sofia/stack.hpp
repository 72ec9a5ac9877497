// One nua instance bound to one listening address, and its callback.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/sip/settings.hpp"
#include "sip/sofia/decode.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// What belongs to no handle of ours, within the stack's callback.
class StackUser {
public:
    virtual ~StackUser() = default;
    // A stranger's request that waits for an answer, with the handle that the stack has made for
    // it: it may be moved from; else it is destroyed, which refuses the request.
    virtual void on_request(Stack& stack, Handle& fresh, const Raw& raw) = 0;
    // A 2xx to an INVITE that no transaction of the stack's waits for. `is_ours`: it had one; so
    // the INVITE was this process's, and this is another callee's answer.
    virtual void on_stray_answer(Stack& stack, const sip_t& sip, bool is_ours) = 0;
};

class Stack {
public:
    // Errc::in_use, Errc::not_found with what to do about it. `user` must outlive the Stack.
    [[nodiscard]] static base::Result<std::unique_ptr<Stack>>
    create(su_root_t* root, const Listen& listen, const Settings& settings, StackUser& user);
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;
    ~Stack(); // only after `shut_down` is done

    [[nodiscard]] nua_t* nua() const { return nua_; }

    [[nodiscard]] nta_agent_t* agent() const { return agent_; }

    [[nodiscard]] const Listen& listen() const { return listen_; }

    [[nodiscard]] bool is_v6() const { return listen_.at.address.find(':') != std::string::npos; }

    [[nodiscard]] bool takes(call::Transport transport) const {
        if (listen_.transport) {
            return *listen_.transport == transport;
        }
        switch (transport) {
        case call::Transport::udp:
        case call::Transport::tcp: return true;
        case call::Transport::tls: return false; // not spoken
        }
        return false;
    }

    // The address that a packet to `remote` (numeric) leaves from; empty if there is no route.
    [[nodiscard]] std::string local_address(const std::string& remote) const;

    void shut_down(std::function<void()> done);

private:
    Stack(Listen listen, StackUser& user) : listen_{std::move(listen)}, user_{&user} {}

    static void on_nua(nua_event_t event,
                       int status,
                       const char* phrase,
                       nua_t* nua,
                       Stack* stack,
                       nua_handle_t* handle,
                       HandleUser* owner,
                       const sip_t* sip,
                       tagi_t tags[]);
    static int on_stray(nta_outgoing_magic_t* stack, nta_outgoing_t* request, const sip_t* sip);
    void dispatch(const Raw& raw, nua_handle_t* handle, HandleUser* owner);

    Listen listen_;
    StackUser* user_;
    nua_t* nua_ = nullptr;
    nta_agent_t* agent_ = nullptr; // nua_'s
    bool is_shut_down_ = false;
    std::function<void()> on_shut_down_;
};

} // namespace revenant::sip
