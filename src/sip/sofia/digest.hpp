// Digest authentication (RFC 7616, RFC 8760): the answer to a challenge, without I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "revenant/account/registration.hpp"
#include "revenant/sip/settings.hpp"

namespace revenant::sip {

// What the credentials stand in.
struct DigestRequest {
    std::string method;
    std::string uri; // as in the request line (RFC 3261 §22.4)
    std::string body = {};
};

// RFC 3261 §25.1 quoted-string.
[[nodiscard]] std::string quoted(std::string_view value);

// How good an algorithm is, by its token in any case; empty means MD5 (RFC 7616 §3.3). Nothing: we
// do not know it, or the cryptographic library does not do it.
[[nodiscard]] std::optional<int> strength_of(std::string_view algorithm);

// The value of an Authorization or Proxy-Authorization header field. The challenge's nonce count is
// that of this request: nobody may have used it before. Empty when it cannot be answered: another
// algorithm, or a control character.
[[nodiscard]] std::string authorization(const account::Challenge& challenge,
                                        const Credentials& credentials,
                                        const DigestRequest& request);

// With a client nonce of the caller's. Else it is one that nobody can foresee and that stays the
// same for a nonce, because a -sess algorithm has that of the first request in its key.
[[nodiscard]] std::string authorization(const account::Challenge& challenge,
                                        const Credentials& credentials,
                                        const DigestRequest& request,
                                        const std::string& cnonce);

// What those are made of, together with the nonce: said by nobody, and the same after a death.
void set_cnonce_secret(std::string secret);

} // namespace revenant::sip
