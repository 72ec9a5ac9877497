// The functions that ours stand in front of: one row each. src/sip/README.md shows the same table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sip/interpose/stack_hooks.hpp"

namespace revenant::sip {

enum class Whose : std::uint8_t {
    libc,     // called by other libraries too, which get what they would get without us
    glib,     // called by libsofia-sip-ua-glib
    glue,     // sofia-sip's, in none of its headers, called by libsofia-sip-ua-glib
    open,     // sofia-sip's, in its headers
    internal, // sofia-sip's, in none of its headers: what it does was read in the source
};

struct InFront {
    Front* slot;
    Whose whose;
    std::string_view why; // what goes wrong without
    std::string_view who; // what of ours stands there
    std::string_view callers;
};

[[nodiscard]] std::string_view name_of(Whose whose);

inline constexpr std::array in_front = std::to_array<InFront>({
    {&hooks.bind, Whose::libc, "a held socket takes the place of the one that is bound",
     "held_sockets.cpp", "tport"},
    {&hooks.getsockname, Whose::libc, "the stack learns the address of the held socket",
     "held_sockets.cpp", "tport"},
    {&hooks.sendto, Whose::libc, "the stack's test of its new socket reaches that socket",
     "held_sockets.cpp", "tport"},
    {&hooks.sendmsg, Whose::libc,
     "what leaves is in the record first, and leaves by the held socket", "held_sockets.cpp", "su"},
    {&hooks.listen, Whose::libc, "connections of an earlier life are given back by a listener",
     "held_connections.cpp", "tport"},
    {&hooks.accept, Whose::libc,
     "they are given back there, and strangers' connections are counted", "held_connections.cpp",
     "tport"},
    {&hooks.shutdown, Whose::libc, "a connection that ends is kept by nobody",
     "held_connections.cpp", "tport"},
    {&hooks.close, Whose::libc, "a connection that is closed is kept by nobody",
     "held_connections.cpp", "su"},
    {&hooks.getaddrinfo, Whose::libc, "no name is waited for", "name_hooks.cpp", "su"},
    {&hooks.time, Whose::libc, "names keep their age when the clock is set", "library_clock.cpp",
     "sresolv"},
    {&hooks.g_source_get_current_time, Whose::glib, "timers run on when the clock is set",
     "library_clock.cpp", "su_source"},
    {&hooks.su_timer_next_expires, Whose::glue,
     "the last part of a millisecond before a timer is not spent with asking again and again",
     "library_clock.cpp", "su_source"},
    {&hooks.su_time, Whose::open, "timers run on when the clock is set", "library_clock.cpp",
     "tport, su"},
    {&hooks.su_nanotime, Whose::open, "timers run on when the clock is set", "library_clock.cpp",
     "nta, su"},
    {&hooks.su_randint, Whose::open, "a reliable response that is said again has its old RSeq",
     "cseq_numbers.cpp", "nta"},
    {&hooks.su_getmsgsize, Whose::open,
     "a stream is read in pieces, and not from who reads nothing", "library_limits.cpp", "tport"},
    {&hooks.su_vrecv, Whose::open, "what is no message is not read; a stored one can be",
     "inject.cpp", "tport"},
    {&hooks.sres_query, Whose::open, "names are asked for by c-ares", "name_hooks.cpp", "nta"},
    {&hooks.sres_query_bind, Whose::open, "a question can be given up", "name_hooks.cpp", "nta"},
    {&hooks.msg_extract, Whose::open, "of a multipart body the stack sees the description",
     "arrival.cpp", "tport"},
    {&hooks.msg_next, Whose::open, "every message of a stream has 64 KiB at most",
     "library_limits.cpp", "tport"},
    {&hooks.msg_set_errno, Whose::open, "why a request has reached nobody is known", "failures.cpp",
     "tport"},
    {&hooks.sip_sanity_check, Whose::open, "a message that would abort the library is refused",
     "transactions.cpp", "nta"},
    {&hooks.tport_deliver, Whose::internal, "whose message is worked at is noted", "whose_turn.cpp",
     "tport"},
    {&hooks.tport_stall, Whose::open, "a stream with what is no message is closed",
     "library_limits.cpp", "tport"},
    {&hooks.tport_tsend, Whose::open, "no ACK is lost for its size; no name in a Via is looked up",
     "transactions.cpp", "nta"},
    {&hooks.nta_agent_create, Whose::open, "every agent is asked whether an answer comes too early",
     "transactions.cpp", "nua"},
    {&hooks.nta_agent_destroy, Whose::open, "an agent that is gone is not asked",
     "transactions.cpp", "nua"},
    {&hooks.nta_msg_ackbye, Whose::open, "an answer of another fork is told BYE until it hears it",
     "forks.cpp", "nta"},
    {&hooks.nta_msg_request_complete, Whose::open, "no CSeq is used twice", "cseq_numbers.cpp",
     "nua"},
    {&hooks.nta_outgoing_mcreate, Whose::open, "a request that is said again has its old branch",
     "transactions.cpp", "nua"},
    {&hooks.sip_response_terminates_dialog, Whose::open, "a refusal does not end a call",
     "refusals.cpp", "nua"},
    {&hooks.nua_client_check_restart, Whose::internal,
     "a request does not wait for credentials that nobody has", "refusals.cpp", "nua"},
    {&hooks.nua_client_bind, Whose::internal,
     "an INVITE that has no answer when its call ends is forgotten", "request_order.cpp", "nua"},
    {&hooks.nua_client_create, Whose::internal, "whose request is made is noted", "whose_turn.cpp",
     "nua"},
    {&hooks.nua_client_request_queue, Whose::internal, "a BYE waits for no INFO",
     "request_order.cpp", "nua"},
    {&hooks.nua_client_request_ref, Whose::internal, "who keeps a request is noted",
     "request_order.cpp", "nua"},
    {&hooks.nua_client_request_unref, Whose::internal, "who keeps a request is noted",
     "request_order.cpp", "nua"},
    {&hooks.nua_client_response, Whose::internal, "a failure of the library's own ends no call",
     "refusals.cpp", "nua"},
    {&hooks.nua_dialog_deinit, Whose::internal, "that a call ends is noted", "request_order.cpp",
     "nua"},
    {&hooks.nua_dialog_usage_remove, Whose::internal, "that a call ends is noted",
     "request_order.cpp", "nua"},
    {&hooks.nua_dialog_usage_refresh, Whose::internal, "a session refresh waits for no INFO",
     "request_order.cpp", "nua"},
    {&hooks.nua_stack_ack, Whose::internal, "whose ACK is made is noted", "whose_turn.cpp", "nua"},
    {&hooks.nua_stack_bye, Whose::internal, "a BYE waits for no INFO", "request_order.cpp", "nua"},
    {&hooks.nua_stack_respond, Whose::internal, "whose response is made is noted", "whose_turn.cpp",
     "nua"},
    {&hooks.sdp_parse, Whose::open, "79 bytes from anybody do not take all memory", "sdp_guard.cpp",
     "soa"},
    {&hooks.soa_generate_answer, Whose::open, "no answer of ours is in a 1xx", "cseq_numbers.cpp",
     "nua"},
    {&hooks.soa_get_local_sdp, Whose::open, "a description is said to the byte", "sdp_guard.cpp",
     "nua"},
});

} // namespace revenant::sip
