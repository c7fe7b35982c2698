# Manual pages and completions: generated from the program's tables by
#   cmake --build BUILD --target docs
# and committed, so that installing needs no second step.
add_custom_target(docs
  COMMAND ${CMAKE_SOURCE_DIR}/cmake/write_documents.sh
    $<TARGET_FILE:llmroute> ${CMAKE_SOURCE_DIR}
  DEPENDS llmroute VERBATIM)

install(TARGETS llmroute RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
file(GLOB PAGES_1 CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/man/*.1)
file(GLOB PAGES_5 CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/man/*.5)
install(FILES ${PAGES_1} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PAGES_5} DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES completions/llmroute.bash RENAME llmroute
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES completions/_llmroute
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/llmroute.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# Takes away what the last install put there.
add_custom_target(uninstall
  COMMAND ${CMAKE_COMMAND} -DMANIFEST=${CMAKE_BINARY_DIR}/install_manifest.txt
    -P ${CMAKE_SOURCE_DIR}/cmake/uninstall.cmake
  VERBATIM)
