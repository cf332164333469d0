# SPDX-License-Identifier: GPL-2.0-only
# skeleton.cmake - run by the build (cmake -P): link a compiled BPF object and write its skeleton.
#
# Takes BPFTOOL, NAME, IN, OBJECT and SKELETON.

function(run output)
  execute_process(
    COMMAND ${ARGN}
    OUTPUT_VARIABLE out
    RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: failed (${status})")
  endif()
  set(${output} "${out}" PARENT_SCOPE)
endfunction()

run(ignored "${BPFTOOL}" gen object "${OBJECT}" "${IN}")
run(text "${BPFTOOL}" gen skeleton "${OBJECT}" name "${NAME}")

# A bpftool newer than the libbpf that we compile against sets bpf_map_skeleton::link, which libbpf
# has only from 1.5 on. The compiler decides, since it is the one that sees libbpf's headers.
string(
  REGEX
  REPLACE "(\n)([^\n]*(map->|maps\\[[0-9]+\\]\\.)link = [^\n]*)"
          "\\1#if LIBBPF_MAJOR_VERSION > 1 || LIBBPF_MINOR_VERSION >= 5\n\\2\n#endif"
          text "${text}")
file(WRITE "${SKELETON}" "${text}")
