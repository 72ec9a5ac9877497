#include "sip/sofia/whose_turn.hpp"

#include <cstdint>
#include <string_view>

#include "revenant/base/in_hand.hpp"
#include "revenant/base/kill_point.hpp"
#include "sip/interpose/next_function.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

std::uint32_t call_of(nua_handle_t* handle) {
    const Leg* leg = handle != nullptr ? nua_handle_magic(handle) : nullptr;
    return leg != nullptr ? leg->number() : 0;
}

} // namespace revenant::sip

// ---- What the library reaches in place of its own ---------------------------------------------

extern "C" {

struct nua_client_methods_t;
struct tport_s;
struct tport_compressor;

// Each request of ours, when its turn has come.
int nua_client_create(nua_handle_t* handle,
                      int event,
                      const nua_client_methods_t* methods,
                      const tagi_t* tags) {
    using namespace revenant;
    static auto* const real =
        sip::next_function<int(nua_handle_t*, int, const nua_client_methods_t*, const tagi_t*)>(
            "nua_client_create");
    const std::uint32_t call = sip::call_of(handle);
    const base::InHand hand{call};
    base::pass_step("", "library", call);
    return real(handle, event, methods, tags);
}

void nua_stack_respond(
    nua_t* nua, nua_handle_t* handle, int status, const char* phrase, const tagi_t* tags) {
    using namespace revenant;
    static auto* const real =
        sip::next_function<void(nua_t*, nua_handle_t*, int, const char*, const tagi_t*)>(
            "nua_stack_respond");
    const base::InHand hand{sip::call_of(handle)};
    real(nua, handle, status, phrase, tags);
}

int nua_stack_ack(nua_t* nua, nua_handle_t* handle, nua_event_t event, const tagi_t* tags) {
    using namespace revenant;
    static auto* const real =
        sip::next_function<int(nua_t*, nua_handle_t*, nua_event_t, const tagi_t*)>("nua_stack_ack");
    const base::InHand hand{sip::call_of(handle)};
    return real(nua, handle, event, tags);
}

// Each message that has come in.
void tport_deliver(
    tport_s* transport, msg_t* message, msg_t* next, tport_compressor* compressor, su_time_t now) {
    using namespace revenant;
    static auto* const real =
        sip::next_function<void(tport_s*, msg_t*, msg_t*, tport_compressor*, su_time_t)>(
            "tport_deliver");
    const sip_t* sip = sip_object(message);
    const char* text =
        sip != nullptr && sip->sip_call_id != nullptr ? sip->sip_call_id->i_id : nullptr;
    const std::string_view call_id = text != nullptr ? text : "";
    const base::InHand hand{call_id.empty() ? base::Mark::none : base::mark_of(call_id)};
    base::pass_message(call_id);
    real(transport, message, next, compressor, now);
}

} // extern "C"
