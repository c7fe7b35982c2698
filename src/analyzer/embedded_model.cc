// The default model, put into the binary by the assembler.
// LLMROUTE_DEFAULT_MODEL is the file's path, set by CMakeLists.txt.
#include <cstddef>

#include "analyzer/model_file.h"

__asm__(
    ".pushsection .rodata\n"
    ".balign 64\n"
    ".globl llmroute_default_model_begin\n"
    ".globl llmroute_default_model_end\n"
    "llmroute_default_model_begin:\n"
    ".incbin \"" LLMROUTE_DEFAULT_MODEL
    "\"\n"
    "llmroute_default_model_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const char llmroute_default_model_begin[];
extern const char llmroute_default_model_end[];
}

namespace llmroute::analyzer {

std::string_view embedded_model() {
  return {llmroute_default_model_begin,
          static_cast<size_t>(llmroute_default_model_end -
                              llmroute_default_model_begin)};
}

}  // namespace llmroute::analyzer
