// Expected failures as values: what we did to what, and a code to branch on.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace revenant::base {

enum class Errc : std::uint8_t {
    bad_input, // what a user, a peer or a file gave us cannot be understood
    not_found,
    in_use, // a port or a state directory that another process holds
    corrupt,
    too_new, // written by a later version of this program
    no_space,
    io,
    unreachable,
    not_now, // right request, wrong moment: the call is in another state
    unsupported,
    internal,
};

// `context` is a whole sentence without a full stop: what we did to what, why it failed, and
// where one exists, what to do next.
struct Error {
    Errc code = Errc::internal;
    std::string context;

    friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string context) {
    return tl::unexpected<Error>{Error{.code = code, .context = std::move(context)}};
}

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>{std::move(error)};
}

} // namespace revenant::base
