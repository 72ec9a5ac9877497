// What stands in front of functions of libc, GLib and sofia-sip.
//
// A function that is defined in the program wins over a library's of the same name, also for calls
// from other libraries. libc.cpp and sofia.cpp define such functions, and nothing else in src/sip
// does. Each of them calls its slot here; the rooms above put theirs into the slots (`Standing`),
// because this room knows none of them. While a slot is empty, the function that has the name by
// right runs. Which there are, and why, is in functions.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include <netdb.h>
#include <sys/socket.h>

#include "sip/interpose/library.hpp"
#include "sip/interpose/slot.hpp"

namespace revenant::sip {

// A message that has come in, while the library works at it.
struct Delivery {
    tport_t* transport = nullptr;
    msg_t* message = nullptr;
    bool is_of_other_fork = false; // the library has found that a call has this answer's INVITE
};

struct StackHooks {
    // libc
    Slot<int(int, const sockaddr*, socklen_t)> bind{"bind"};
    Slot<int(int, sockaddr*, socklen_t*)> getsockname{"getsockname"};
    Slot<ssize_t(int, const void*, std::size_t, int, const sockaddr*, socklen_t)> sendto{"sendto"};
    Slot<ssize_t(int, const msghdr*, int)> sendmsg{"sendmsg"};
    Slot<int(int, int)> listen{"listen"};
    Slot<int(int, sockaddr*, socklen_t*)> accept{"accept"};
    Slot<int(int, int)> shutdown{"shutdown"};
    Slot<int(int)> close{"close"};
    Slot<int(const char*, const char*, const addrinfo*, addrinfo**)> getaddrinfo{"getaddrinfo"};
    Slot<std::time_t(std::time_t*)> time{"time"};

    // GLib
    Slot<void(_GSource*, timeval*)> g_source_get_current_time{"g_source_get_current_time"};

    // sofia-sip: su
    Slot<su_duration_t(const void*, su_time_t)> su_timer_next_expires{"su_timer_next_expires"};
    Slot<void(su_time_t*)> su_time{"su_time"};
    Slot<su_time64_t(su_time64_t*)> su_nanotime{"su_nanotime"};
    Slot<int(int, int)> su_randint{"su_randint"};
    Slot<issize_t(su_socket_t)> su_getmsgsize{"su_getmsgsize"};
    Slot<issize_t(su_socket_t, su_iovec_t[], isize_t, int, su_sockaddr_t*, socklen_t*)> su_vrecv{
        "su_vrecv"};

    // sofia-sip: names
    Slot<sres_query_t*(
        sres_resolver_t*, sres_answer_f*, sres_context_t*, std::uint16_t, const char*)>
        sres_query{"sres_query"};
    Slot<void(sres_query_t*, sres_answer_f*, sres_context_t*)> sres_query_bind{"sres_query_bind"};

    // sofia-sip: messages and transports
    Slot<int(msg_t*)> msg_extract{"msg_extract"};
    Slot<msg_t*(msg_t*)> msg_next{"msg_next"};
    Slot<void(msg_t*, int)> msg_set_errno{"msg_set_errno"};
    Slot<int(const sip_t*)> sip_sanity_check{"sip_sanity_check"};
    Slot<void(tport_t*, msg_t*, msg_t*, tport_compressor*, su_time_t)> tport_deliver{
        "tport_deliver"};
    Slot<int(tport_t*)> tport_stall{"tport_stall"};
    TaggedSlot<tport_t*(tport_t*, msg_t*, const tp_name_t*)> tport_tsend{"tport_tsend"};

    // sofia-sip: transactions
    TaggedSlot<nta_agent_t*(su_root_t*, const url_string_t*, nta_message_f*, nta_agent_magic_t*)>
        nta_agent_create{"nta_agent_create"};
    Slot<void(nta_agent_t*)> nta_agent_destroy{"nta_agent_destroy"};
    Slot<int(nta_agent_t*, msg_t*)> nta_msg_ackbye{"nta_msg_ackbye"};
    Slot<int(msg_t*, nta_leg_t*, sip_method_t, const char*, const url_string_t*)>
        nta_msg_request_complete{"nta_msg_request_complete"};
    TaggedSlot<nta_outgoing_t*(
        nta_agent_t*, nta_response_f*, nta_outgoing_magic_t*, const url_string_t*, msg_t*)>
        nta_outgoing_mcreate{"nta_outgoing_mcreate"};

    // sofia-sip: dialogs
    Slot<int(int, sip_method_t, int*)> sip_response_terminates_dialog{
        "sip_response_terminates_dialog"};
    Slot<int(nua_client_request*, int, const char*, const sip_t*)> nua_client_check_restart{
        "nua_client_check_restart"};
    Slot<int(nua_client_request*, nua_dialog_usage*)> nua_client_bind{"nua_client_bind"};
    Slot<int(nua_handle_t*, int, const nua_client_methods_t*, const tagi_t*)> nua_client_create{
        "nua_client_create"};
    Slot<nua_client_request*(nua_client_request*)> nua_client_request_ref{"nua_client_request_ref"};
    Slot<int(nua_client_request*)> nua_client_request_unref{"nua_client_request_unref"};
    Slot<int(nua_client_request*)> nua_client_request_queue{"nua_client_request_queue"};
    Slot<int(nua_client_request*, int, const char*, const sip_t*)> nua_client_response{
        "nua_client_response"};
    Slot<void(nua_handle_t*, nua_dialog_state*)> nua_dialog_deinit{"nua_dialog_deinit"};
    Slot<void(nua_handle_t*,
              nua_dialog_state*,
              nua_dialog_usage*,
              nua_client_request*,
              nua_server_request*)>
        nua_dialog_usage_remove{"nua_dialog_usage_remove"};
    Slot<void(nua_handle_t*, nua_dialog_state*, nua_dialog_usage*, sip_time_t)>
        nua_dialog_usage_refresh{"nua_dialog_usage_refresh"};
    Slot<int(nua_t*, nua_handle_t*, nua_event_t, const tagi_t*)> nua_stack_ack{"nua_stack_ack"};
    Slot<int(nua_t*, nua_handle_t*, nua_event_t, const tagi_t*)> nua_stack_bye{"nua_stack_bye"};
    Slot<void(nua_t*, nua_handle_t*, int, const char*, const tagi_t*)> nua_stack_respond{
        "nua_stack_respond"};

    // sofia-sip: descriptions
    Slot<sdp_parser_t*(su_home_t*, const char[], issize_t, int)> sdp_parse{"sdp_parse"};
    Slot<int(soa_session_t*, soa_callback_f*)> soa_generate_answer{"soa_generate_answer"};
    Slot<int(const soa_session_t*, const sdp_session_t**, const char**, isize_t*)>
        soa_get_local_sdp{"soa_get_local_sdp"};

    // ---- What is under way (under_way.hpp) ----
    // Of the library's thread, which alone looks at it.

    Delivery* delivery = nullptr;
    int response = 0;          // the status that we answer a request with
    bool asks_at_once = false; // what is asked now waits for no other request
    // While a call's usage is taken down: the requests that were referred to for that.
    std::vector<nua_client_request*>* referred_to = nullptr;
};

extern StackHooks hooks; // constinit

} // namespace revenant::sip
