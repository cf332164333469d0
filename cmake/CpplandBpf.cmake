# SPDX-License-Identifier: GPL-2.0-only
# CpplandBpf.cmake - from a .bpf.c file to a skeleton header.

find_program(CPPLAND_BPF_CLANG NAMES clang-19 clang DOC "Compiler for BPF objects")
find_program(CPPLAND_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin DOC "Makes the skeletons")

# cppland_bpf_object(NAME source.bpf.c [INCLUDES dir...] [DEFINITIONS def...])
#
# Compiles one BPF source and makes NAME.skel.h from it, for users that link to NAME_skel. The
# skeleton's struct is called NAME too. Rebuilt when a header changes. NAME.bpf.o lies beside the
# skeleton, in the binary directory.
function(cppland_bpf_object name source)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "INCLUDES;DEFINITIONS")
  _cppland_no_leftovers(cppland_bpf_object ${name} "${arg_UNPARSED_ARGUMENTS}")
  if(NOT CPPLAND_BPF_CLANG OR NOT CPPLAND_BPFTOOL)
    message(FATAL_ERROR "${name}: BPF objects need clang-19 and bpftool (tools/setup installs both)")
  endif()

  set(arch ${CMAKE_SYSTEM_PROCESSOR})
  if(arch MATCHES "^(x86_64|AMD64|i.86)$")
    set(arch x86)
  elseif(arch MATCHES "^(aarch64|arm64)$")
    set(arch arm64)
  endif()

  set(flags -target bpf -mcpu=v3 -std=gnu17 -O2 -g -Wall "-D__TARGET_ARCH_${arch}")
  if(CPPLAND_WERROR)
    list(APPEND flags -Werror)
  endif()
  foreach(dir IN LISTS arg_INCLUDES ITEMS "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
    list(APPEND flags "-I${dir}")
  endforeach()
  foreach(dir IN LISTS LIBBPF_INCLUDE_DIRS)
    list(APPEND flags -isystem "${dir}")
  endforeach()
  foreach(definition IN LISTS arg_DEFINITIONS)
    list(APPEND flags "-D${definition}")
  endforeach()
  # The object's line information names files relative to the source tree, on every machine.
  list(APPEND flags "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

  cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set(compiled "${CMAKE_CURRENT_BINARY_DIR}/${name}.tmp.o")
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o")
  set(skeleton "${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h")

  add_custom_command(
    OUTPUT "${compiled}"
    COMMAND "${CPPLAND_BPF_CLANG}" ${flags} -MD -MF "${compiled}.d" -MT "${compiled}" -c "${source}"
            -o "${compiled}"
    DEPENDS "${source}"
    DEPFILE "${compiled}.d"
    COMMENT "Compiling BPF object ${name}"
    VERBATIM)
  # bpftool's linker drops DWARF and keeps BTF, as llvm-strip -g would.
  add_custom_command(
    OUTPUT "${object}" "${skeleton}"
    COMMAND "${CMAKE_COMMAND}" "-DBPFTOOL=${CPPLAND_BPFTOOL}" "-DNAME=${name}" "-DIN=${compiled}"
            "-DOBJECT=${object}" "-DSKELETON=${skeleton}" -P "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/skeleton.cmake"
    DEPENDS "${compiled}" "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/skeleton.cmake"
    COMMENT "Making skeleton ${name}.skel.h"
    VERBATIM)
  add_custom_target(${name}_skel_files DEPENDS "${object}" "${skeleton}")

  add_library(${name}_skel INTERFACE)
  add_dependencies(${name}_skel ${name}_skel_files)
  target_include_directories(${name}_skel SYSTEM INTERFACE "${CMAKE_CURRENT_BINARY_DIR}")
  target_link_libraries(${name}_skel INTERFACE PkgConfig::LIBBPF)
endfunction()
