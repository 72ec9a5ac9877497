// The library fmt, compiled here: Debian has no archive of it, and a library that is loaded is
// waited for at each start. With FMT_HEADER_ONLY every other file would compile it.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE

namespace detail {

// What fmt's headers declare and leave to the library's own file.
template FMT_API auto dragonbox::to_decimal(float) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double) noexcept -> dragonbox::decimal_fp<double>;
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
#if FMT_VERSION >= 100000 // Debian 13
template FMT_API void
vformat_to(buffer<char>&, string_view, typename vformat_args<>::type, locale_ref);
#endif

} // namespace detail

FMT_END_NAMESPACE
