// std::visit with one lambda per alternative.
#pragma once

namespace revenant::base {

template <typename... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};

template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

} // namespace revenant::base
