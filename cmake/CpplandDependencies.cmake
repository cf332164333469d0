# SPDX-License-Identifier: GPL-2.0-only
# CpplandDependencies.cmake - the libraries that cppland links to. Also installed beside
# cpplandConfig.cmake, so that a build and its users find the same things by the same names.

find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED) # headers only
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET GLOBAL libbpf>=1.4)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET GLOBAL libelf)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET GLOBAL zlib)
pkg_check_modules(LIBCAP_NG REQUIRED IMPORTED_TARGET GLOBAL libcap-ng)
