// libcurl, opened when the first request is made: the program's own module
// (http_module.h), else the system's. Linking the system's would cost every
// start some 5 ms and 29 libraries, also of commands that never use a network.
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace llmroute::provider {

// The functions used, found by name. They live as long as the process.
struct CurlLibrary {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_reset) easy_reset = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
  decltype(&curl_url) url = nullptr;
  decltype(&curl_url_set) url_set = nullptr;
  decltype(&curl_url_cleanup) url_cleanup = nullptr;
  decltype(&curl_multi_init) multi_init = nullptr;
  decltype(&curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&curl_multi_setopt) multi_setopt = nullptr;
  decltype(&curl_multi_socket_action) multi_socket_action = nullptr;
  decltype(&curl_multi_info_read) multi_info_read = nullptr;
  const char* name = nullptr;  // the system's file, or what is in the module
};

// Opens and initialises it once. Thread-safe. Missing, or too old to have a
// function: kOs, naming the package to install.
base::Result<const CurlLibrary*> curl_library();

}  // namespace llmroute::provider
