# SPDX-License-Identifier: GPL-2.0-only
# CpplandTargets.cmake - one call per library, program, test, benchmark and fuzz target.

include(GNUInstallDirs)
set(CPPLAND_INSTALL_INCLUDEDIR "${CMAKE_INSTALL_INCLUDEDIR}/cppland-${PROJECT_VERSION_MAJOR}")

if(CPPLAND_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_program(CPPLAND_VALGRIND valgrind)
  # The programs that ctest runs, and what they are made of; for flavours that need no more.
  add_custom_target(checks)
endif()
if(CPPLAND_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()

# Link to DEPS. A generated skeleton is needed to compile only and is never installed; what it needs
# of libbpf must reach the users of an installed library.
function(_cppland_link target scope)
  foreach(dep IN LISTS ARGN)
    if(dep MATCHES "_skel$")
      target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:${dep}>" PkgConfig::LIBBPF)
    else()
      target_link_libraries(${target} ${scope} ${dep})
    endif()
  endforeach()
endfunction()

# cppland_library(NAME [SOURCES file...] [DEPS target...] [HOT])
#
# A layer: the static library cppland_NAME, also called cppland::NAME. Without SOURCES it is headers
# only. HOT: tests spend their time in it, so it is optimised for ThreadSanitizer and the like, too. Its users inherit DEPS and the include roots: include/, src/ and the repository's root (for
# abi/). Installed and exported with the package.
function(cppland_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "HOT" "" "SOURCES;DEPS")
  _cppland_no_leftovers(cppland_library ${name} "${arg_UNPARSED_ARGUMENTS}")
  set(target cppland_${name})
  if(arg_SOURCES)
    set(scope PUBLIC)
    add_library(${target} STATIC ${arg_SOURCES})
    cppland_compile_options(${target})
    if(arg_HOT AND CPPLAND_SANITIZE)
      target_compile_options(${target} PRIVATE -O1)
    endif()
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # The private include roots end here: they are no part of the installed interface.
    target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
    if(NOT name STREQUAL "sdk")
      list(PREPEND arg_DEPS cppland::sdk)
    endif()
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  add_library(cppland::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} ${scope} cxx_std_23)
  target_include_directories(
    ${target} ${scope} "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
    "$<INSTALL_INTERFACE:${CPPLAND_INSTALL_INCLUDEDIR}>")
  _cppland_link(${target} ${scope} ${arg_DEPS})
  set_property(GLOBAL APPEND PROPERTY CPPLAND_LIBRARIES ${target})
endfunction()

# cppland_executable(NAME SOURCES file... [DEPS target...] [INSTALL])
#
# The program NAME in ${CMAKE_BINARY_DIR}/bin.
function(cppland_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INSTALL" "" "SOURCES;DEPS")
  _cppland_no_leftovers(cppland_executable ${name} "${arg_UNPARSED_ARGUMENTS}")
  add_executable(${name} ${arg_SOURCES})
  cppland_compile_options(${name})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  _cppland_link(${name} PRIVATE cppland::sdk ${arg_DEPS})
  if(arg_INSTALL AND CPPLAND_INSTALL)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()

# cppland_test(NAME SOURCES file... [DEPS target...] [LABELS label...] [TIMEOUT seconds]
#              [THREADS] [VALGRIND])
#
# A GoogleTest program NAME and one ctest test of that name with the label "unit" (or LABELS, if
# given). THREADS: also run under ThreadSanitizer. VALGRIND: also run under valgrind. The test may
# read files below ${CPPLAND_TEST_DATA} in its environment, which is tests/data.
function(cppland_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "THREADS;VALGRIND" "TIMEOUT" "SOURCES;DEPS;LABELS")
  _cppland_no_leftovers(cppland_test ${name} "${arg_UNPARSED_ARGUMENTS}")
  if(NOT CPPLAND_BUILD_TESTS OR CPPLAND_FUZZ)
    return()
  endif()
  if(CPPLAND_FLAVOUR STREQUAL "tsan" AND NOT arg_THREADS)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  cppland_executable(${name} SOURCES ${arg_SOURCES} DEPS ${arg_DEPS} GTest::gmock GTest::gtest_main)
  # A test's own code runs once: it takes longer to optimise than to run.
  target_compile_options(${name} PRIVATE $<$<NOT:$<CONFIG:None>>:-O0>)
  add_dependencies(checks ${name})
  _cppland_add_test(${name} "${arg_LABELS}" ${arg_TIMEOUT} $<TARGET_FILE:${name}> --gtest_brief=1)
  if(arg_VALGRIND AND CPPLAND_VALGRIND AND NOT CPPLAND_FLAVOUR)
    _cppland_add_test(
      valgrind.${name} valgrind 600 ${CPPLAND_VALGRIND} --quiet --error-exitcode=99
      --leak-check=full --errors-for-leak-kinds=definite,possible --track-fds=no
      $<TARGET_FILE:${name}> --gtest_brief=1)
  endif()
endfunction()

# cppland_bench(NAME SOURCES file... [DEPS target...] [MAIN])
#
# A Google Benchmark program NAME. ctest runs it shortly as "smoke.NAME", so that it cannot rot, and
# leaves its figures in NAME.json for tests that require the fixture NAME.
# MAIN: it has its own main(), whose exit status says what else must hold.
function(cppland_bench name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "MAIN" "" "SOURCES;DEPS")
  _cppland_no_leftovers(cppland_bench ${name} "${arg_UNPARSED_ARGUMENTS}")
  if(NOT CPPLAND_BUILD_BENCH OR CPPLAND_FLAVOUR)
    return()
  endif()
  set(main benchmark::benchmark_main)
  if(arg_MAIN)
    set(main benchmark::benchmark)
  endif()
  cppland_executable(${name} SOURCES ${arg_SOURCES} DEPS ${arg_DEPS} ${main})
  if(CPPLAND_BUILD_TESTS)
    _cppland_add_test(
      smoke.${name} "bench" 120 $<TARGET_FILE:${name}> --benchmark_min_time=0.01
      "--benchmark_out=${CMAKE_CURRENT_BINARY_DIR}/${name}.json")
    set_tests_properties(smoke.${name} PROPERTIES FIXTURES_SETUP ${name})
  endif()
endfunction()

# cppland_fuzz(NAME SOURCES file... [DEPS target...] [SEEDS folder...])
#
# A libFuzzer target NAME. Inputs that once failed lie in tests/fuzz_regressions/NAME/ and are replayed by every
# build's tests as "replay.NAME", as is what lies in SEEDS; with CPPLAND_FUZZ, "NAME" searches for new
# ones, starting from them.
function(cppland_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;SEEDS")
  _cppland_no_leftovers(cppland_fuzz ${name} "${arg_UNPARSED_ARGUMENTS}")
  if(NOT CPPLAND_BUILD_TESTS OR CPPLAND_FLAVOUR STREQUAL "tsan")
    return()
  endif()
  set(seeds ${arg_SEEDS})
  if(EXISTS "${PROJECT_SOURCE_DIR}/tests/fuzz_regressions/${name}")
    list(APPEND seeds "${PROJECT_SOURCE_DIR}/tests/fuzz_regressions/${name}")
  endif()
  if(CPPLAND_FUZZ)
    cppland_executable(${name} SOURCES ${arg_SOURCES} DEPS ${arg_DEPS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(corpus "${CMAKE_CURRENT_BINARY_DIR}/${name}.corpus")
    file(MAKE_DIRECTORY "${corpus}")
    math(EXPR timeout "${CPPLAND_FUZZ_SECONDS} + 60")
    _cppland_add_test(
      ${name} fuzz ${timeout} $<TARGET_FILE:${name}> -max_total_time=${CPPLAND_FUZZ_SECONDS}
      -timeout=10 -print_final_stats=1 -verbosity=0 -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/${name}. "${corpus}" ${seeds})
  else()
    cppland_executable(${name} SOURCES ${arg_SOURCES} "${PROJECT_SOURCE_DIR}/tests/support/fuzz_replay.cc"
                       DEPS ${arg_DEPS})
    _cppland_add_test(replay.${name} unit 120 $<TARGET_FILE:${name}> ${seeds})
  endif()
  add_dependencies(checks ${name})
endfunction()

function(_cppland_add_test name labels timeout)
  if(CPPLAND_FLAVOUR)
    list(APPEND labels ${CPPLAND_FLAVOUR})
    set(name ${CPPLAND_FLAVOUR}.${name})
  endif()
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(
    ${name}
    PROPERTIES LABELS "${labels}"
               TIMEOUT ${timeout}
               ENVIRONMENT
               "CPPLAND_TEST_DATA=${PROJECT_SOURCE_DIR}/tests/data;${CPPLAND_SANITIZER_ENV}")
endfunction()

set(CPPLAND_SANITIZER_ENV
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
    "UBSAN_OPTIONS=print_stacktrace=1" "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")

function(_cppland_no_leftovers function name leftovers)
  if(leftovers)
    message(FATAL_ERROR "${function}(${name}): unknown arguments: ${leftovers}")
  endif()
endfunction()
