// The one place that includes sofia-sip's nua.h: it types the two "magic" pointers. Include this or
// sofia/nua.hpp, never <sofia-sip/nua.h>. Below that, what the library has in none of its headers.
#pragma once

#include <ctime>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace revenant::sip {
class Stack;
class HandleUser;
} // namespace revenant::sip

#define NUA_MAGIC_T revenant::sip::Stack
#define NUA_HMAGIC_T revenant::sip::HandleUser

#include <sofia-resolv/sres.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/sdp.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/soa.h>
#include <sofia-sip/soa_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/su_time.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

extern "C" {

struct nua_client_methods_t;
struct nua_client_request;
struct nua_dialog_state;
struct nua_dialog_usage;

struct nua_server_request;
struct tport_compressor;
struct _GSource; // NOLINT(bugprone-reserved-identifier): GLib's name

// Whether a description has come that is not answered.
int soa_has_received_sdp(const soa_session_t* session);

} // extern "C"
