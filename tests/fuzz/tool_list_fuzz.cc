// The file of --tools: each tool that is read has a name of its own, and is
// read as the same from its own parts.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "core/tool_list.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace core = llmroute::core;
  const auto tools =
      core::read_tools({reinterpret_cast<const char*>(data), size});
  if (!tools) {
    if (tools.error().message.empty()) std::abort();
    return 0;
  }
  std::set<std::string> names;
  llmroute::base::JsonWriter json;
  json.begin_array();
  for (const core::Tool& tool : *tools) {
    if (!names.insert(tool.name).second) std::abort();
    json.begin_object().field("name", tool.name);
    json.field("description", tool.description);
    if (!tool.parameters.empty()) json.key("parameters").raw(tool.parameters);
    if (tool.strict) json.field("strict", *tool.strict);
    json.end_object();
  }
  const auto again = core::read_tools(json.end_array().text());
  if (!again || again->size() != tools->size()) std::abort();
  for (size_t i = 0; i < tools->size(); ++i) {
    if (again->at(i).parameters != tools->at(i).parameters) std::abort();
  }
  return 0;
}
