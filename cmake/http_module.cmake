# llmroute-http.so: libcurl with OpenSSL and nghttp2, linked from the
# distribution's archives. The first call opens this one file instead of
# libcurl.so.4 and the thirty libraries behind it. Where an archive is missing, or
# needs more than src/provider/absent_libraries.c stands in for, there is no
# module, and the program opens the system's libcurl.
option(LLMROUTE_HTTP_MODULE "link libcurl into a module of llmroute's own" ON)
set(HTTP_MODULE_SOURCE ${CMAKE_SOURCE_DIR}/src/provider/absent_libraries.c)
# Those that src/provider/curl_library.cc looks up.
set(HTTP_MODULE_FUNCTIONS
  curl_global_init curl_easy_init curl_easy_setopt curl_easy_getinfo
  curl_easy_reset curl_easy_cleanup curl_easy_strerror curl_slist_append
  curl_slist_free_all curl_url curl_url_set curl_url_cleanup curl_multi_init
  curl_multi_cleanup curl_multi_add_handle curl_multi_remove_handle
  curl_multi_setopt curl_multi_socket_action curl_multi_info_read)

# Sets `archives`, or `why` not.
function(find_http_archives archives why)
  foreach(name curl ssl crypto nghttp2 z)
    find_library(HTTP_ARCHIVE_${name} lib${name}.a)
    mark_as_advanced(HTTP_ARCHIVE_${name})
    if(NOT HTTP_ARCHIVE_${name})
      set(${why} "lib${name}.a is missing" PARENT_SCOPE)
      return()
    endif()
    list(APPEND found ${HTTP_ARCHIVE_${name}})
  endforeach()
  set(${archives} ${found} PARENT_SCOPE)
endfunction()

list(TRANSFORM HTTP_MODULE_FUNCTIONS PREPEND -Wl,-u,
  OUTPUT_VARIABLE HTTP_MODULE_ROOTS)
list(JOIN HTTP_MODULE_FUNCTIONS "; " EXPORTS)
set(HTTP_MODULE_EXPORTS ${CMAKE_BINARY_DIR}/generated/http_module.map)
file(CONFIGURE OUTPUT ${HTTP_MODULE_EXPORTS}
  CONTENT "{ global: @EXPORTS@; llmroute_http_versions; local: *; };\n")
set(HTTP_MODULE_LINK -Wl,--version-script=${HTTP_MODULE_EXPORTS}
  ${HTTP_MODULE_ROOTS} -Wl,--gc-sections -Wl,-z,defs,-z,text,-z,relro,-z,now)
if(LLMROUTE_PACKED_RELOCATIONS)
  list(APPEND HTTP_MODULE_LINK -Wl,-z,pack-relative-relocs)
endif()

if(LLMROUTE_HTTP_MODULE)
  find_http_archives(HTTP_ARCHIVES HTTP_MODULE_OBSTACLE)
else()
  set(HTTP_MODULE_OBSTACLE "LLMROUTE_HTTP_MODULE is off")
endif()
if(NOT HTTP_MODULE_OBSTACLE)
  try_compile(HTTP_MODULE_LINKS ${CMAKE_BINARY_DIR}/try_http_module
    ${HTTP_MODULE_SOURCE} LINK_OPTIONS -shared ${HTTP_MODULE_LINK}
    LINK_LIBRARIES ${HTTP_ARCHIVES})
  if(NOT HTTP_MODULE_LINKS)
    set(HTTP_MODULE_OBSTACLE "these archives do not make one")
  endif()
endif()

if(HTTP_MODULE_OBSTACLE)
  message(STATUS "HTTP: by the system's libcurl.so, no module of our own: "
    "${HTTP_MODULE_OBSTACLE}")
else()
  message(STATUS "HTTP: by a module of our own, llmroute-http.so")
  add_library(llmroute-http MODULE ${HTTP_MODULE_SOURCE})
  set_target_properties(llmroute-http PROPERTIES PREFIX ""
    LINK_DEPENDS ${HTTP_MODULE_EXPORTS})
  target_link_options(llmroute-http PRIVATE ${HTTP_MODULE_LINK})
  target_link_libraries(llmroute-http PRIVATE ${HTTP_ARCHIVES})
  add_dependencies(llmroute llmroute-http)
  install(TARGETS llmroute-http LIBRARY DESTINATION lib/llmroute)
endif()
