#include "provider/curl_library.h"

#include <dlfcn.h>

#include <array>
#include <string>

#include "provider/http_module.h"

// curl.h wraps these in type-checking macros, whose names are wanted here.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

namespace llmroute::provider {
namespace {

constexpr std::array<const char*, 2> kNames = {"libcurl.so.4",
                                               "libcurl-gnutls.so.4"};

base::Error missing(const std::string& why) {
  return {base::ErrorKind::kOs,
          "cannot open libcurl (" + why +
              "): install it, on Debian and Ubuntu with: apt install libcurl4"};
}

void* open_module() {
  const HttpModule module = find_http_module();
  if (!module.file.valid()) return nullptr;
  return dlopen(module.name.c_str(), RTLD_NOW | RTLD_LOCAL);
}

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, CurlLibrary& curl) {
  return find(library, "curl_global_init", curl.global_init) &&
         find(library, "curl_easy_init", curl.easy_init) &&
         find(library, "curl_easy_setopt", curl.easy_setopt) &&
         find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
         find(library, "curl_easy_reset", curl.easy_reset) &&
         find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
         find(library, "curl_easy_strerror", curl.easy_strerror) &&
         find(library, "curl_slist_append", curl.slist_append) &&
         find(library, "curl_slist_free_all", curl.slist_free_all) &&
         find(library, "curl_url", curl.url) &&
         find(library, "curl_url_set", curl.url_set) &&
         find(library, "curl_url_cleanup", curl.url_cleanup) &&
         find(library, "curl_multi_init", curl.multi_init) &&
         find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
         find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
         find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
         find(library, "curl_multi_setopt", curl.multi_setopt) &&
         find(library, "curl_multi_socket_action", curl.multi_socket_action) &&
         find(library, "curl_multi_info_read", curl.multi_info_read);
}

// Nothing but the reason if `library` (may be null) is none of use.
base::Result<CurlLibrary> use(void* library, const char* name) {
  if (library == nullptr) {
    const char* why = dlerror();
    return missing(why != nullptr ? why : "not found");
  }
  CurlLibrary curl;
  if (!find_all(library, curl)) return missing("it is older than 7.66");
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return missing("it does not start");
  }
  curl.name = name;
  if (const void* versions = dlsym(library, "llmroute_http_versions")) {
    curl.name = static_cast<const char*>(versions);
  }
  return curl;
}

base::Result<CurlLibrary> open() {
  base::Result<CurlLibrary> curl = use(open_module(), "");
  // Lazily, as the linker opens it for curl: of its thirty libraries those that
  // are for other protocols than HTTP are not bound.
  for (const char* name : kNames) {
    if (!curl) curl = use(dlopen(name, RTLD_LAZY | RTLD_LOCAL), name);
  }
  return curl;
}

}  // namespace

base::Result<const CurlLibrary*> curl_library() {
  static const base::Result<CurlLibrary> library = open();
  if (!library) return library.error();
  return &library.value();
}

}  // namespace llmroute::provider
