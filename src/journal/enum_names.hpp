// How the enums of a Dialog are spelled in a record.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "revenant/base/log.hpp"
#include "revenant/call/dialog.hpp"

namespace revenant::journal {

template <typename E>
struct Named {
    E value;
    std::string_view name;
};

template <typename E>
struct Names;

template <>
struct Names<call::Role> {
    static constexpr std::array table{
        Named<call::Role>{call::Role::caller, "caller"},
        Named<call::Role>{call::Role::callee, "callee"},
    };
};

template <>
struct Names<call::Phase> {
    static constexpr std::array table{
        Named<call::Phase>{call::Phase::inviting, "inviting"},
        Named<call::Phase>{call::Phase::ringing, "ringing"},
        Named<call::Phase>{call::Phase::answered, "answered"},
        Named<call::Phase>{call::Phase::established, "established"},
        Named<call::Phase>{call::Phase::ending, "ending"},
    };
};

template <>
struct Names<call::Transport> {
    static constexpr std::array table{
        Named<call::Transport>{call::Transport::udp, "udp"},
        Named<call::Transport>{call::Transport::tcp, "tcp"},
        Named<call::Transport>{call::Transport::tls, "tls"},
    };
};

template <>
struct Names<call::Refresher> {
    static constexpr std::array table{
        Named<call::Refresher>{call::Refresher::none, "none"},
        Named<call::Refresher>{call::Refresher::local, "local"},
        Named<call::Refresher>{call::Refresher::remote, "remote"},
    };
};

template <>
struct Names<call::Direction> {
    static constexpr std::array table{
        Named<call::Direction>{call::Direction::sendrecv, "sendrecv"},
        Named<call::Direction>{call::Direction::sendonly, "sendonly"},
        Named<call::Direction>{call::Direction::recvonly, "recvonly"},
        Named<call::Direction>{call::Direction::inactive, "inactive"},
    };
};

template <typename E>
[[nodiscard]] std::string_view name_of(E value) {
    for (const auto& entry : Names<E>::table) {
        if (entry.value == value) {
            return entry.name;
        }
    }
    base::die("an enum of a dialog record has a value without a name");
}

template <typename E>
[[nodiscard]] std::optional<E> value_of(std::string_view name) {
    for (const auto& entry : Names<E>::table) {
        if (entry.name == name) {
            return entry.value;
        }
    }
    return std::nullopt;
}

} // namespace revenant::journal
