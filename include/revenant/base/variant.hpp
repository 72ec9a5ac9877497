// What std::variant leaves out: variants joined, membership, and the name of what is in one.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <variant>

namespace revenant::base {

template <typename T, typename Variant>
inline constexpr bool is_alternative = false;
template <typename T, typename... Ts>
inline constexpr bool is_alternative<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);

template <typename... Variants>
struct Join;

template <typename... Ts>
struct Join<std::variant<Ts...>> {
    using type = std::variant<Ts...>;
};

template <typename... Ts, typename... Us, typename... Rest>
struct Join<std::variant<Ts...>, std::variant<Us...>, Rest...> {
    using type = typename Join<std::variant<Ts..., Us...>, Rest...>::type;
};

// One variant of all their alternatives, in this order.
template <typename... Variants>
using Joined = typename Join<Variants...>::type;

// "SendBye" for call::effect::SendBye.
template <typename T>
[[nodiscard]] constexpr std::string_view type_name() {
    // "… [with T = a::b::Name; …]" (g++) or "… [T = a::b::Name]" (clang)
    std::string_view name = __PRETTY_FUNCTION__;
    name.remove_prefix(name.find("T = ") + 4);
    name = name.substr(0, name.find_first_of(";]"));
    const std::size_t scope = name.rfind(':');
    return scope == std::string_view::npos ? name : name.substr(scope + 1);
}

template <typename... Ts>
[[nodiscard]] std::string_view alternative_name(const std::variant<Ts...>& value) {
    static constexpr std::string_view names[] = {type_name<Ts>()...}; // NOLINT: sized by the list
    return names[value.index()];
}

} // namespace revenant::base
