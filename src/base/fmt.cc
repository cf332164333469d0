// SPDX-License-Identifier: GPL-2.0-only
// fmt.cc - what of {fmt} 9 is not in its headers, for programs without shared libraries.
//
// Debian has no libfmt.a, so this is what {fmt}'s own src/format.cc is, from the headers that are
// installed. Numbers are written as in the C locale: the others would take a megabyte of libstdc++.
#define FMT_STATIC_THOUSANDS_SEPARATOR ','  // NOLINT(readability-identifier-naming): {fmt}'s
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template FMT_API dragonbox::decimal_fp<float> dragonbox::to_decimal(float x) noexcept;
template FMT_API dragonbox::decimal_fp<double> dragonbox::to_decimal(double x) noexcept;

template FMT_API thousands_sep_result<char> thousands_sep_impl(locale_ref);
template FMT_API char decimal_point_impl(locale_ref);
template FMT_API void buffer<char>::append(const char*, const char*);
template FMT_API void vformat_to(buffer<char>&, string_view,
                                 basic_format_args<FMT_BUFFER_CONTEXT(char)>, locale_ref);

template FMT_API thousands_sep_result<wchar_t> thousands_sep_impl(locale_ref);
template FMT_API wchar_t decimal_point_impl(locale_ref);
template FMT_API void buffer<wchar_t>::append(const wchar_t*, const wchar_t*);

}  // namespace detail
FMT_END_NAMESPACE
