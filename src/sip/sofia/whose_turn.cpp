#include "sip/sofia/whose_turn.hpp"

#include <cstdint>
#include <string_view>

#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/interpose/under_way.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

std::uint32_t call_of(nua_handle_t* handle) {
    const HandleUser* user = handle != nullptr ? nua_handle_magic(handle) : nullptr;
    return user != nullptr ? user->number() : 0;
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

// Each request of ours, when its turn has come.
int create_request(nua_handle_t* handle,
                   int event,
                   const nua_client_methods_t* methods,
                   const tagi_t* tags) {
    const std::uint32_t call = call_of(handle);
    const base::InHand hand{call};
    base::pass_step("", "library", call);
    return hooks.nua_client_create.own()(handle, event, methods, tags);
}

void respond(nua_t* nua, nua_handle_t* handle, int status, const char* phrase, const tagi_t* tags) {
    const base::InHand hand{call_of(handle)};
    const UnderWay<int> answering{hooks.response, status};
    hooks.nua_stack_respond.own()(nua, handle, status, phrase, tags);
}

int acknowledge(nua_t* nua, nua_handle_t* handle, nua_event_t event, const tagi_t* tags) {
    const base::InHand hand{call_of(handle)};
    return hooks.nua_stack_ack.own()(nua, handle, event, tags);
}

// Each message that has come in.
void deliver(
    tport_t* transport, msg_t* message, msg_t* next, tport_compressor* compressor, su_time_t now) {
    const sip_t* sip = sip_object(message);
    const char* text =
        sip != nullptr && sip->sip_call_id != nullptr ? sip->sip_call_id->i_id : nullptr;
    const std::string_view call_id = text != nullptr ? text : "";
    const base::InHand hand{call_id.empty() ? base::Mark::none : base::mark_of(call_id)};
    base::pass_message(call_id);
    Delivery delivery{.transport = transport, .message = message};
    const UnderWay<Delivery*> here{hooks.delivery, &delivery};
    hooks.tport_deliver.own()(transport, message, next, compressor, now);
}

const Standing requests{hooks.nua_client_create, create_request};
const Standing responses{hooks.nua_stack_respond, respond};
const Standing acks{hooks.nua_stack_ack, acknowledge};
const Standing deliveries{hooks.tport_deliver, deliver};

} // namespace

} // namespace revenant::sip
