#include "sip/sofia/digest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/evp.h>

#include <fmt/format.h>

#include "revenant/base/random.hpp"
#include "revenant/base/text.hpp"

namespace revenant::sip {

namespace {

struct Free {
    void operator()(EVP_MD* md) const { EVP_MD_free(md); }
};

struct Algorithm {
    std::string_view name; // the token's, without -sess
    const char* hash;      // the library's name
    int strength;
};

// RFC 7616 §6.1, weakest first.
constexpr std::array algorithms{Algorithm{"MD5", "MD5", 0}, Algorithm{"SHA-256", "SHA256", 2},
                                Algorithm{"SHA-512-256", "SHA512-256", 4}};
constexpr std::string_view sess = "-sess";

bool is_session(std::string_view algorithm) {
    return algorithm.size() > sess.size() &&
           base::equals_ignoring_case(algorithm.substr(algorithm.size() - sess.size()), sess);
}

const Algorithm* find(std::string_view token) {
    if (token.empty()) {
        return algorithms.data();
    }
    if (is_session(token)) {
        token.remove_suffix(sess.size());
    }
    const auto* found = std::ranges::find_if(algorithms, [&](const Algorithm& one) {
        return base::equals_ignoring_case(one.name, token);
    });
    return found != algorithms.end() ? found : nullptr;
}

// One of RFC 7616's hashes, and nothing where the library refuses it: MD5 by a policy of the
// system's, for example.
class Hash {
public:
    explicit Hash(std::string_view algorithm) {
        if (const Algorithm* known = find(algorithm)) {
            md_.reset(EVP_MD_fetch(nullptr, known->hash, nullptr));
        }
    }

    explicit operator bool() const { return md_ != nullptr; }

    [[nodiscard]] std::string hex(std::string_view text) const {
        std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
        unsigned int size = 0;
        if (EVP_Digest(text.data(), text.size(), bytes.data(), &size, md_.get(), nullptr) != 1) {
            return {};
        }
        std::string out;
        for (const unsigned char byte : std::basic_string_view{bytes.data(), size}) {
            out += fmt::format("{:02x}", byte);
        }
        return out;
    }

private:
    std::unique_ptr<EVP_MD, Free> md_;
};

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

bool is_sayable(const account::Challenge& challenge,
                const Credentials& credentials,
                const DigestRequest& request) {
    return std::ranges::none_of(
        std::to_array<std::string_view>({challenge.realm, challenge.nonce, challenge.opaque,
                                         challenge.algorithm, challenge.qop, credentials.user,
                                         request.method, request.uri}),
        has_control);
}

std::string& secret() {
    static std::string one = base::random_token(26);
    return one;
}

std::string cnonce_for(const account::Challenge& challenge) {
    const Hash hash{challenge.algorithm};
    constexpr std::size_t length = 32;
    return hash ? hash.hex(fmt::format("{}:{}", secret(), challenge.nonce)).substr(0, length)
                : std::string{};
}

} // namespace

std::string quoted(std::string_view value) {
    std::string out{'"'};
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

void set_cnonce_secret(std::string secret_of_ours) {
    secret() = std::move(secret_of_ours);
}

std::optional<int> strength_of(std::string_view algorithm) {
    const Algorithm* known = find(algorithm);
    if (known == nullptr || !Hash{algorithm}) {
        return std::nullopt;
    }
    // Without -sess first: which client nonce its key has is said in more than one way.
    return known->strength + (is_session(algorithm) ? 0 : 1);
}

std::string authorization(const account::Challenge& challenge,
                          const Credentials& credentials,
                          const DigestRequest& request) {
    return authorization(challenge, credentials, request, cnonce_for(challenge));
}

std::string authorization(const account::Challenge& challenge,
                          const Credentials& credentials,
                          const DigestRequest& request,
                          const std::string& cnonce) {
    const Hash hash{challenge.algorithm};
    if (!hash || !is_sayable(challenge, credentials, request)) {
        return {};
    }
    // RFC 7616 §3.4.1 to §3.4.3
    std::string a1 =
        hash.hex(fmt::format("{}:{}:{}", credentials.user, challenge.realm, credentials.password));
    if (is_session(challenge.algorithm)) {
        a1 = hash.hex(fmt::format("{}:{}:{}", a1, challenge.nonce, cnonce));
    }
    std::string a2 = fmt::format("{}:{}", request.method, request.uri);
    if (challenge.qop == "auth-int") {
        a2 += ":" + hash.hex(request.body);
    }
    a2 = hash.hex(a2);
    const bool has_qop = !challenge.qop.empty(); // else as in RFC 2069
    const std::string count = fmt::format("{:08x}", challenge.nonce_count);
    const std::string response =
        hash.hex(has_qop ? fmt::format("{}:{}:{}:{}:{}:{}", a1, challenge.nonce, count, cnonce,
                                       challenge.qop, a2)
                         : fmt::format("{}:{}:{}", a1, challenge.nonce, a2));

    std::string value = fmt::format(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"", quoted(credentials.user),
        quoted(challenge.realm), quoted(challenge.nonce), quoted(request.uri), response);
    if (!challenge.algorithm.empty()) {
        value += ", algorithm=" + challenge.algorithm;
    }
    if (has_qop || is_session(challenge.algorithm)) {
        value += fmt::format(", cnonce={}", quoted(cnonce));
    }
    if (!challenge.opaque.empty()) {
        value += ", opaque=" + quoted(challenge.opaque);
    }
    if (has_qop) {
        value += fmt::format(", qop={}, nc={}", challenge.qop, count);
    }
    return value;
}

} // namespace revenant::sip
