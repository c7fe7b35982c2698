// Any bytes as a configuration file: a Config or an error with a place, never
// a crash; what was accepted is written and read back to the same values.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/load.h"
#include "config/read_config.h"
#include "config/write.h"

namespace {

namespace base = llmroute::base;
namespace core = llmroute::core;
namespace config = llmroute::config;

void check_error(const base::Error& error) {
  if (error.message.empty()) std::abort();
}

void check_config(const core::Config& config) {
  const std::string text = config::toml_document(config, false);
  const auto again =
      config::read_config(config::builtin(), text, {.file = "again"});
  if (!again) std::abort();
  if (config::toml_document(*again, false) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config =
      config::read_config(config::builtin(), text, {.file = "fuzz"});
  if (config) {
    check_config(*config);
  } else {
    check_error(config.error());
  }
  return 0;
}
