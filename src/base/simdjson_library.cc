// simdjson, opened at the first JSON text that is parsed: the distribution
// ships it as a shared library, and `explain`, help and completions, which
// parse none, should not pay for loading it. The headers need one function of
// the library.
#include <dlfcn.h>
#include <simdjson.h>

#include <cstdio>
#include <cstdlib>

namespace simdjson {

internal::atomic_ptr<const implementation>& get_active_implementation() {
  using Getter = internal::atomic_ptr<const implementation>& (*)();
  static const Getter getter = [] {
    void* library = dlopen(LLMROUTE_SIMDJSON_SONAME, RTLD_LAZY | RTLD_LOCAL);
    void* symbol =
        library == nullptr
            ? nullptr
            : dlsym(library, "_ZN8simdjson25get_active_implementationEv");
    if (symbol == nullptr) {
      std::fputs("llmroute: cannot load " LLMROUTE_SIMDJSON_SONAME
                 " (install simdjson)\n",
                 stderr);
      std::_Exit(71);
    }
    return reinterpret_cast<Getter>(symbol);
  }();
  return getter();
}

}  // namespace simdjson
