// The library's Digest scheme, replaced by ours: what nua sends is answered for as digest.hpp says.
//
// The library's own knows MD5 only, fails with 904 when another algorithm is among the challenges,
// says realms without their escapes, cuts passwords at a colon, and goes on counting when the nonce
// is another one. What it still does is to keep, for each handle, who has challenged it, and to
// repeat the request. Whether one is repeated is decided here, before it sees the answer:
//
// - Challenges that cannot be answered are none (challenges.hpp), and of a forked request's those
//   that we have no credentials for (RFC 3261 §22.3). If no other is left, the request is over.
// - Credentials that were made for the challenge before, to the same request, and are refused are
//   wrong: nobody tries them again (RFC 3261 §22.2), unless the server says that it was the nonce
//   (RFC 7616 §3.3). Those for an older nonce are made anew, once: many servers do not say so.
#pragma once

#include <functional>
#include <string>

#include "revenant/sip/settings.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip::digest_scheme {

// The credentials for a realm of whoever has sent this request, or the one that this answers; null:
// there are none.
using Find = std::function<const Credentials*(const sip_t& message, const std::string& realm)>;

// Replaces the one before.
void tell(Find find);

// Whether the request that this answers goes on only when it is told to (`go_on`), because there is
// something to be done before. The library finds one that waits at the head of its queue only, so
// others must not: they go on at once.
using Waits = std::function<bool(const sip_t& answer)>;

// Replaces the one before.
void tell_waits(Waits waits);

// Whether the library comes to us; else it would answer by itself.
[[nodiscard]] bool is_in_place();

// Lets the request go on that waits for credentials: NUTAG_AUTH of nua_authenticate. The
// credentials themselves are asked for when it is sent.
inline constexpr const char* go_on = "Digest:\"\":-:-";

// The challenges of an answer as the library is to see them.
class Challenges {
public:
    explicit Challenges(const sip_t& answer);

    // Else the request is over.
    [[nodiscard]] bool are_answerable() const { return is_answerable_; }

    [[nodiscard]] const sip_t& answer() const { return shown_; }

    [[nodiscard]] int status() const { return shown_.sip_www_authenticate != nullptr ? 401 : 407; }

private:
    Home home_;
    sip_t shown_; // shares all but the challenges
    bool is_answerable_ = false;
};

// What to tell of a challenge: the realm that the credentials were refused for, or that there are
// none for. Empty: it asks for something else than Digest, or another algorithm.
struct Complaint {
    std::string realm;
    bool have_credentials = false;
};

[[nodiscard]] Complaint complaint_of(const sip_t& answer);

} // namespace revenant::sip::digest_scheme
