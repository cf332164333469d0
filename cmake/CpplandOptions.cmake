# SPDX-License-Identifier: GPL-2.0-only
# CpplandOptions.cmake - what a builder may choose, and what follows from it for every target.

option(CPPLAND_WERROR "Treat warnings as errors" OFF)
option(CPPLAND_FUZZ "Build the fuzz targets with libFuzzer (needs clang)" OFF)
option(CPPLAND_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(CPPLAND_BUILD_BENCH "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(CPPLAND_INSTALL "Install the libraries, headers and CMake package" ${PROJECT_IS_TOP_LEVEL})
set(CPPLAND_SANITIZE
    ""
    CACHE STRING "Sanitizers: empty, \"address,undefined\" or \"thread\"")
set_property(CACHE CPPLAND_SANITIZE PROPERTY STRINGS "" "address,undefined" "thread")
set(CPPLAND_FUZZ_SECONDS
    8
    CACHE STRING "How long ctest runs each fuzz target")

if(NOT CPPLAND_SANITIZE MATCHES "^(|address,undefined|thread)$")
  message(FATAL_ERROR "CPPLAND_SANITIZE is \"${CPPLAND_SANITIZE}\": "
                      "use \"\", \"address,undefined\" or \"thread\"")
endif()
if(CPPLAND_FUZZ AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "CPPLAND_FUZZ needs clang: use the preset \"fuzz\"")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE
        RelWithDebInfo
        CACHE STRING "Build type" FORCE)
  endif()
  if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(CPPLAND_CCACHE ccache)
    if(CPPLAND_CCACHE)
      set(CMAKE_C_COMPILER_LAUNCHER "${CPPLAND_CCACHE}")
      set(CMAKE_CXX_COMPILER_LAUNCHER "${CPPLAND_CCACHE}")
    endif()
  endif()
endif()

# Sanitizers instrument everything or nothing, so they are no property of single targets.
set(_sanitizers "${CPPLAND_SANITIZE}")
if(CPPLAND_FUZZ)
  set(_sanitizers "fuzzer-no-link,address,undefined")
endif()
if(_sanitizers)
  add_compile_options(-fsanitize=${_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # Most code runs once or a few times here: without optimisation it is compiled in a third of the time.
  # What is not (HOT) asks for more.
  if(CPPLAND_FUZZ)
    add_compile_options(-O1)
  else()
    add_compile_options(-O0)
  endif()
  add_compile_options(-UNDEBUG)
  add_link_options(-fsanitize=${_sanitizers})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # The model's C++ calls the dispatcher's C through pointers; the types have other names there.
    add_compile_options(-fno-sanitize=function)
  endif()
endif()
if(PROJECT_IS_TOP_LEVEL AND (_sanitizers OR CMAKE_BUILD_TYPE STREQUAL "Debug"))
  # operator[] of the standard containers checks its index.
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

# Tests of an instrumented build carry its name, so that several builds can be run by one ctest.
if(CPPLAND_FUZZ)
  set(CPPLAND_FLAVOUR fuzz)
elseif(CPPLAND_SANITIZE STREQUAL "address,undefined")
  set(CPPLAND_FLAVOUR asan)
elseif(CPPLAND_SANITIZE STREQUAL "thread")
  set(CPPLAND_FLAVOUR tsan)
else()
  set(CPPLAND_FLAVOUR "")
endif()

# cppland_compile_options(TARGET): the project's warnings and hygiene for one target.
function(cppland_compile_options target)
  set(common
      -Wall
      -Wextra
      -Wpedantic
      -Wshadow
      -Wconversion
      -Wsign-conversion
      -Wcast-align
      -Wcast-qual
      -Wformat=2
      -Wredundant-decls
      -Wundef
      -Wvla)
  set(cxx -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wextra-semi -Wzero-as-null-pointer-constant)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND common -Wduplicated-cond -Wduplicated-branches -Wlogical-op)
    list(APPEND cxx -Wsuggest-override)
    # Members that a designated initialiser leaves out are zero, and meant to be.
    list(APPEND cxx -Wno-missing-field-initializers)
    if(CPPLAND_SANITIZE)
      # Instrumented code confuses GCC's flow analysis.
      list(APPEND common -Wno-maybe-uninitialized)
    endif()
  else()
    list(APPEND common -Wimplicit-fallthrough -Wthread-safety)
    # libstdc++ 12 calls what it deprecates itself (std::stable_sort), which clang blames on us.
    list(APPEND cxx -Wno-deprecated-declarations)
    # As for GCC above.
    list(APPEND cxx -Wno-missing-designated-field-initializers)
  endif()
  if(CPPLAND_WERROR)
    list(APPEND common -Werror)
  endif()
  target_compile_options(
    ${target} PRIVATE ${common} "$<$<COMPILE_LANGUAGE:CXX>:${cxx}>"
                      "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
endfunction()
