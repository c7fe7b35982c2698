// Tools and structured answers as the protocols want them: what a request says
// of them, and calls put together from what comes back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "base/json_writer.h"
#include "core/model.h"
#include "core/prompt.h"
#include "core/reply.h"

namespace llmroute::provider {

// Calls of one answer, each at its place, in pieces or whole. One thread.
class ToolCalls {
 public:
  // The call at that place; a new one if there is none.
  core::ToolCall& at(int64_t place) { return calls_[place]; }
  bool has(int64_t place) const { return calls_.contains(place); }
  // A new one behind the others.
  core::ToolCall& add();
  // The last in order. REQUIRES: !empty().
  core::ToolCall& last() { return calls_.rbegin()->second; }
  bool empty() const { return calls_.empty(); }
  // A piece in the form of OpenAI's chat completions and Ollama: `index`, `id`
  // and `function`. Servers leave out the index, or give each call the same
  // one: another id is another call then.
  void take_chat_piece(const base::Json& piece);

  // Whether there is one without a name, which nobody can call.
  bool any_nameless() const;
  size_t bytes() const;  // of all arguments
  // In order of their places, in UTF-8; no arguments are {}.
  std::vector<core::ToolCall> take();

 private:
  std::map<int64_t, core::ToolCall> calls_;
};

// Arguments that come as a string, or as the object that it would be.
std::string arguments_of(const base::Json& arguments);

// The members of a tool: its name, description and schema, which `schema_field`
// names; a tool that takes nothing has the schema of an empty object.
void write_tool(base::JsonWriter& json, const core::Tool& tool,
                std::string_view schema_field);

// [{"type":"function","function":{...}}], for chat completions and Ollama.
std::string chat_tools_json(const std::vector<core::Tool>& tools);

// The messages of a chat completion, the system text first: JSON.
std::string chat_messages_json(const core::Prompt& prompt);

// Whether anything is to be said of the choice among tools that are told.
bool says_choice(const core::Parameters& parameters);
// "none", "required", or {"type":"function"} with the name under `holder`; an
// empty `holder`: beside the type.
std::string openai_tool_choice(const core::ToolChoice& choice,
                               std::string_view holder);

// Whether a schema is of the kind that OpenAI's servers enforce in their strict
// mode: each object closed and with all of its properties required, and no
// keyword that they refuse there. What they enforce is told to them; the answer
// is checked here in any case.
bool is_strict_schema(std::string_view schema);

// What a chat completion of that model says of tools, of the choice among them
// and of the answer's schema: names of fields and their JSON.
std::vector<std::pair<std::string, std::string>> chat_form(
    const core::Model& model, const core::Provider& provider,
    const core::Parameters& parameters);

}  // namespace llmroute::provider
