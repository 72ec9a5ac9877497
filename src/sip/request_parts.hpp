// What the requests of calls have in common: where they go, and our description in them.
#pragma once

#include <string>

#include "revenant/call/dialog.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// The description as it is: with our o= line (RFC 3264 §8 wants it kept), our address in it also
// where the stack would rather name a public one in place of loopback, and our order of codecs.
#define SESSION_TAGS(dialog)                                                                       \
    SOATAG_USER_SDP_STR((dialog).local_sdp.c_str()), SOATAG_USER_O_LINE(1),                        \
        SOATAG_ADDRESS((dialog).media.local.address.c_str()),                                      \
        SOATAG_RTP_SELECT(SOA_RTP_SELECT_ALL), SOATAG_RTP_SORT(SOA_RTP_SORT_LOCAL)

// How long a Retry-After the stack keeps by itself (seconds, its default). In quarantine that is
// for the call machine: the stack would ask the stand-in.
inline constexpr unsigned retry_after_most_s = 32;

// Where requests in the dialog really go: the outbound proxy, else the first loose route, else
// wherever Route and Request-URI say (empty).
[[nodiscard]] std::string real_proxy(const call::Dialog& dialog);

[[nodiscard]] inline const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

inline void set_proxy(const Leg& leg, const std::string& url) {
    nua_set_hparams(leg.handle(), NUTAG_PROXY(or_null(url)), TAG_END());
}

} // namespace revenant::sip
