# SPDX-License-Identifier: GPL-2.0-only
# CpplandInstall.cmake - the umbrella target cppland::cppland, and what `cmake --install` copies.

include(CMakePackageConfigHelpers)

get_property(_libraries GLOBAL PROPERTY CPPLAND_LIBRARIES)

# All layers at once, for programs built on the library in this tree or in their own.
# (The plain name "cppland" belongs to the command-line tool.)
add_library(cppland_umbrella INTERFACE)
add_library(cppland::cppland ALIAS cppland_umbrella)
set_target_properties(cppland_umbrella PROPERTIES EXPORT_NAME cppland)
target_link_libraries(cppland_umbrella INTERFACE ${_libraries})

if(NOT CPPLAND_INSTALL)
  return()
endif()

set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/cppland")

# Headers lie in a folder of their own, so that <abi/...> is nobody else's.
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/include/cppland" "${PROJECT_SOURCE_DIR}/abi"
  DESTINATION "${CPPLAND_INSTALL_INCLUDEDIR}"
  FILES_MATCHING
  PATTERN "*.h")

install(
  TARGETS ${_libraries} cppland_umbrella
  EXPORT cpplandTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(
  EXPORT cpplandTargets
  NAMESPACE cppland::
  DESTINATION ${_package_dir})
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/cpplandConfig.cmake.in" "${CMAKE_CURRENT_BINARY_DIR}/cpplandConfig.cmake"
  INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/cpplandConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/cpplandConfig.cmake"
        "${CMAKE_CURRENT_BINARY_DIR}/cpplandConfigVersion.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/CpplandDependencies.cmake"
  DESTINATION ${_package_dir})
