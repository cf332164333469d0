# SPDX-License-Identifier: GPL-2.0-only
# CpplandStatic.cmake - the scheduler as a program without shared libraries, where they exist as
# archives. All of its memory is locked, and so is then what it uses of a library, not all of it.

include(CheckCXXSourceCompiles)

# cppland::fmt is {fmt}: its compiled part built here, or else the system's library.
set(CPPLAND_OWN_FMT OFF)
if(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
  set(CPPLAND_OWN_FMT ON)
endif()

foreach(library IN ITEMS bpf elf z cap-ng)
  find_library(CPPLAND_ARCHIVE_${library} lib${library}.a)
  mark_as_advanced(CPPLAND_ARCHIVE_${library})
endforeach()
set(_archives "${CPPLAND_ARCHIVE_bpf}" "${CPPLAND_ARCHIVE_elf}" "${CPPLAND_ARCHIVE_z}")

set(_static OFF)
if(CPPLAND_OWN_FMT AND NOT _sanitizers AND NOT CMAKE_CXX_FLAGS MATCHES "--coverage"
   AND NOT "${_archives};${CPPLAND_ARCHIVE_cap-ng}" MATCHES "NOTFOUND")
  set(CMAKE_REQUIRED_FLAGS "-fPIE")
  set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
  set(CMAKE_REQUIRED_LIBRARIES ${_archives} "${CPPLAND_ARCHIVE_cap-ng}")
  check_cxx_source_compiles(
    "#include <cap-ng.h>
     extern \"C\" int ring_buffer__epoll_fd(const void*);
     extern \"C\" void* bpf_object__open(const char*);
     int main() { return bpf_object__open(\"\") && capng_get_caps_process(); }"
    CPPLAND_CAN_LINK_STATIC)
  unset(CMAKE_REQUIRED_FLAGS)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  unset(CMAKE_REQUIRED_LIBRARIES)
  set(_static ${CPPLAND_CAN_LINK_STATIC})
endif()
option(CPPLAND_STATIC "Link scx_cppland without shared libraries" ${_static})

if(CPPLAND_STATIC)
  if(NOT _static)
    message(FATAL_ERROR "CPPLAND_STATIC needs {fmt} 9 and libbpf.a, libelf.a, libz.a, libcap-ng.a and "
                        "libc.a, and no sanitizer")
  endif()
  # Whoever asks for the library gets the archive, and what it needs.
  set_target_properties(PkgConfig::LIBBPF PROPERTIES INTERFACE_LINK_LIBRARIES "${_archives}")
  set_target_properties(PkgConfig::LIBCAP_NG PROPERTIES INTERFACE_LINK_LIBRARIES
                                                        "${CPPLAND_ARCHIVE_cap-ng}")
endif()

# Relocations in a few bytes each, where the linker can.
include(CheckLinkerFlag)
set(_static_link -static-pie LINKER:--gc-sections)
check_linker_flag(CXX "LINKER:-z,pack-relative-relocs" CPPLAND_CAN_PACK_RELOCATIONS)
if(CPPLAND_CAN_PACK_RELOCATIONS)
  list(APPEND _static_link "LINKER:-z,pack-relative-relocs")
endif()
set_property(GLOBAL PROPERTY CPPLAND_STATIC_LINK "${_static_link}")

# cppland_link_static(TARGET): without shared libraries, if CPPLAND_STATIC.
function(cppland_link_static target)
  if(CPPLAND_STATIC)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    get_property(options GLOBAL PROPERTY CPPLAND_STATIC_LINK)
    target_link_options(${target} PRIVATE ${options})
  endif()
endfunction()
