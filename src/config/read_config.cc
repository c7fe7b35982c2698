#include "config/read_config.h"

#include <utility>

#include "config/merge.h"
#include "config/read.h"

namespace llmroute::config {

base::Result<core::Config> read_config(core::Config base, std::string_view text,
                                       const Layer& layer) {
  LLMROUTE_TRY(const Node document, read_toml(text, layer.file));
  Merger merger(std::move(base));
  LLMROUTE_CHECK(merger.add(document, layer));
  return merger.finish();
}

}  // namespace llmroute::config
