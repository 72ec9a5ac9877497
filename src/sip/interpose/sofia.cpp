// What sofia-sip reaches in place of its own functions.
#include <cstdint>

#include "sip/interpose/stack_hooks.hpp"

namespace revenant::sip {

constinit StackHooks hooks;

} // namespace revenant::sip

using revenant::sip::hooks;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): its names say less
extern "C" {

// ---- su: time, chance, sockets -----------------------------------------------------------------

void su_time(su_time_t* now) {
    hooks.su_time(now);
}

su_time64_t su_nanotime(su_time64_t* now) {
    return hooks.su_nanotime(now);
}

su_duration_t su_timer_next_expires(const void* timers, su_time_t now) {
    return hooks.su_timer_next_expires(timers, now);
}

int su_randint(int lowest, int highest) {
    return hooks.su_randint(lowest, highest);
}

issize_t su_getmsgsize(su_socket_t fd) {
    return hooks.su_getmsgsize(fd);
}

issize_t su_vrecv(su_socket_t fd,
                  su_iovec_t parts[],
                  isize_t count,
                  int flags,
                  su_sockaddr_t* from,
                  socklen_t* length) {
    return hooks.su_vrecv(fd, parts, count, flags, from, length);
}

// ---- Names -------------------------------------------------------------------------------------

sres_query_t* sres_query(sres_resolver_t* resolver,
                         sres_answer_f* callback,
                         sres_context_t* context,
                         std::uint16_t type,
                         const char* domain) {
    return hooks.sres_query(resolver, callback, context, type, domain);
}

void sres_query_bind(sres_query_t* query, sres_answer_f* callback, sres_context_t* context) {
    hooks.sres_query_bind(query, callback, context);
}

// ---- Messages and transports -------------------------------------------------------------------

int msg_extract(msg_t* message) {
    return hooks.msg_extract(message);
}

msg_t* msg_next(msg_t* message) {
    return hooks.msg_next(message);
}

void msg_set_errno(msg_t* message, int error) {
    hooks.msg_set_errno(message, error);
}

int sip_sanity_check(const sip_t* sip) {
    return hooks.sip_sanity_check(sip);
}

void tport_deliver(
    tport_t* transport, msg_t* message, msg_t* next, tport_compressor* compressor, su_time_t now) {
    hooks.tport_deliver(transport, message, next, compressor, now);
}

int tport_stall(tport_t* transport) {
    return hooks.tport_stall(transport);
}

tport_t* tport_tsend(tport_t* transport,
                     msg_t* message,
                     const tp_name_t* hop,
                     tag_type_t tag,
                     tag_value_t value,
                     ...) {
    ta_list ta;
    ta_start(ta, tag, value);
    tport_t* sent = hooks.tport_tsend(transport, message, hop, ta_args(ta));
    ta_end(ta);
    return sent;
}

// ---- nta: transactions -------------------------------------------------------------------------

nta_agent_t* nta_agent_create(su_root_t* root,
                              const url_string_t* name,
                              nta_message_f* callback,
                              nta_agent_magic_t* magic,
                              tag_type_t tag,
                              tag_value_t value,
                              ...) {
    ta_list ta;
    ta_start(ta, tag, value);
    nta_agent_t* agent = hooks.nta_agent_create(root, name, callback, magic, ta_args(ta));
    ta_end(ta);
    return agent;
}

void nta_agent_destroy(nta_agent_t* agent) {
    hooks.nta_agent_destroy(agent);
}

int nta_msg_ackbye(nta_agent_t* agent, msg_t* message) {
    return hooks.nta_msg_ackbye(agent, message);
}

int nta_msg_request_complete(msg_t* message,
                             nta_leg_t* leg,
                             sip_method_t method,
                             const char* method_name,
                             const url_string_t* request_uri) {
    return hooks.nta_msg_request_complete(message, leg, method, method_name, request_uri);
}

nta_outgoing_t* nta_outgoing_mcreate(nta_agent_t* agent,
                                     nta_response_f* callback,
                                     nta_outgoing_magic_t* magic,
                                     const url_string_t* route,
                                     msg_t* message,
                                     tag_type_t tag,
                                     tag_value_t value,
                                     ...) {
    ta_list ta;
    ta_start(ta, tag, value);
    nta_outgoing_t* request =
        hooks.nta_outgoing_mcreate(agent, callback, magic, route, message, ta_args(ta));
    ta_end(ta);
    return request;
}

// ---- nua: dialogs ------------------------------------------------------------------------------

int sip_response_terminates_dialog(int status, sip_method_t method, int* ends_usage) {
    return hooks.sip_response_terminates_dialog(status, method, ends_usage);
}

int nua_client_check_restart(nua_client_request* request,
                             int status,
                             const char* phrase,
                             const sip_t* sip) {
    return hooks.nua_client_check_restart(request, status, phrase, sip);
}

int nua_client_bind(nua_client_request* request, nua_dialog_usage* usage) {
    return hooks.nua_client_bind(request, usage);
}

int nua_client_create(nua_handle_t* handle,
                      int event,
                      const nua_client_methods_t* methods,
                      const tagi_t* tags) {
    return hooks.nua_client_create(handle, event, methods, tags);
}

int nua_client_request_queue(nua_client_request* request) {
    return hooks.nua_client_request_queue(request);
}

nua_client_request* nua_client_request_ref(nua_client_request* request) {
    return hooks.nua_client_request_ref(request);
}

int nua_client_request_unref(nua_client_request* request) {
    return hooks.nua_client_request_unref(request);
}

int nua_client_response(nua_client_request* request,
                        int status,
                        const char* phrase,
                        const sip_t* sip) {
    return hooks.nua_client_response(request, status, phrase, sip);
}

void nua_dialog_deinit(nua_handle_t* handle, nua_dialog_state* dialog) {
    hooks.nua_dialog_deinit(handle, dialog);
}

void nua_dialog_usage_remove(nua_handle_t* handle,
                             nua_dialog_state* dialog,
                             nua_dialog_usage* usage,
                             nua_client_request* ours,
                             nua_server_request* theirs) {
    hooks.nua_dialog_usage_remove(handle, dialog, usage, ours, theirs);
}

void nua_dialog_usage_refresh(nua_handle_t* handle,
                              nua_dialog_state* dialog,
                              nua_dialog_usage* usage,
                              sip_time_t now) {
    hooks.nua_dialog_usage_refresh(handle, dialog, usage, now);
}

int nua_stack_ack(nua_t* nua, nua_handle_t* handle, nua_event_t event, const tagi_t* tags) {
    return hooks.nua_stack_ack(nua, handle, event, tags);
}

int nua_stack_bye(nua_t* nua, nua_handle_t* handle, nua_event_t event, const tagi_t* tags) {
    return hooks.nua_stack_bye(nua, handle, event, tags);
}

void nua_stack_respond(
    nua_t* nua, nua_handle_t* handle, int status, const char* phrase, const tagi_t* tags) {
    hooks.nua_stack_respond(nua, handle, status, phrase, tags);
}

// ---- soa: descriptions -------------------------------------------------------------------------

sdp_parser_t* sdp_parse(su_home_t* home, const char text[], issize_t size, int flags) {
    return hooks.sdp_parse(home, text, size, flags);
}

int soa_generate_answer(soa_session_t* session, soa_callback_f* completed) {
    return hooks.soa_generate_answer(session, completed);
}

int soa_get_local_sdp(const soa_session_t* session,
                      const sdp_session_t** parsed,
                      const char** text,
                      isize_t* length) {
    return hooks.soa_get_local_sdp(session, parsed, text, length);
}

} // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
