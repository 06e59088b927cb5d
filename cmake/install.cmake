# The headers, and what CMake and pkg-config need to find them. Nothing of it depends on the machine.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

install(DIRECTORY include/sockless DESTINATION include)

install(TARGETS sockless EXPORT sockless)
install(
    EXPORT sockless
    FILE sockless-config.cmake
    NAMESPACE sockless::
    DESTINATION ${CMAKE_INSTALL_DATADIR}/cmake/sockless)

# Before 1.0, another minor version is another interface.
write_basic_package_version_file(
    sockless-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sockless-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_DATADIR}/cmake/sockless)

configure_file(cmake/sockless.pc.in sockless.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sockless.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
