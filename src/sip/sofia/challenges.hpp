// What a 401 or 407 asks for, read from bytes that anybody can have sent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "revenant/account/event.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// Of WWW-Authenticate and Proxy-Authenticate: for each realm of either the strongest Digest
// challenge that can be answered, in the order of the realms (RFC 3261 §22.3, RFC 8760 §2.4). What
// we do not know, Basic and what is broken is left out. `has_credentials` is the caller's to say.
[[nodiscard]] std::vector<account::Challenged> challenges_of(const sip_t& response);

// A header field with one challenge; nothing when that cannot be answered.
[[nodiscard]] std::optional<account::Challenged> challenge_of(const msg_auth_t& header,
                                                              bool is_proxys);

// The value of a header field with that challenge.
[[nodiscard]] std::string text_of(const account::Challenge& challenge);

// The `nextnonce` of Authentication-Info or, of a proxy, Proxy-Authentication-Info (RFC 7616
// §3.5); empty: none that could be used.
[[nodiscard]] std::string next_nonce_of(const msg_auth_info_t* info);

} // namespace revenant::sip
