#include "provider/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute::provider {
namespace {

ToolCalls taken(const std::vector<std::string_view>& pieces) {
  ToolCalls calls;
  for (const std::string_view piece : pieces) {
    calls.take_chat_piece(base::read_json(piece)->root);
  }
  return calls;
}

std::string shown(ToolCalls calls) {
  std::string text;
  for (const core::ToolCall& call : calls.take()) {
    text += call.id + " " + call.name + " " + call.arguments + "; ";
  }
  return text;
}

TEST_CASE("OAI-4: pieces are put together by their index, in its order") {
  CHECK(
      shown(taken(
          {R"({"index":1,"id":"b","function":{"name":"g","arguments":""}})",
           R"({"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}})",
           R"({"index":1,"function":{"arguments":"{}"}})",
           R"({"index":0,"function":{"arguments":":1}"}})"})) ==
      R"(a f {"x":1}; b g {}; )");
}

TEST_CASE("servers that leave the index out, or give each call the same") {
  const std::string two = R"(a f {"x":1}; b f {"x":2}; )";
  CHECK(
      shown(taken(
          {R"({"id":"a","function":{"name":"f","arguments":"{\"x\":"}})",
           R"({"function":{"arguments":"1}"}})",
           R"({"id":"b","function":{"name":"f","arguments":"{\"x\":2}"}})"})) ==
      two);
  CHECK(
      shown(taken(
          {R"({"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}})",
           R"({"index":0,"id":"b","function":{"name":"f","arguments":{"x":2}}})"})) ==
      two);
  CHECK(shown(taken({R"({"function":{"name":"f","arguments":"{}"}})",
                     R"({"function":{"name":"g","arguments":"{}"}})"})) ==
        " f {};  g {}; ");
}

TEST_CASE(
    "no arguments are an empty object, halves of a character are joined") {
  CHECK(shown(taken({R"({"index":0,"function":{"name":"f"}})"})) == " f {}; ");
  CHECK(
      shown(taken(
          {R"({"index":0,"function":{"name":"f","arguments":"{\"a\":\"\ud83d"}})",
           R"({"index":0,"function":{"arguments":"\ude80\"}"}})"})) ==
      " f {\"a\":\"\U0001f680\"}; ");
}

TEST_CASE("a call without a name is noticed") {
  CHECK(taken({R"({"index":0,"id":"a","function":{"arguments":"{}"}})"})
            .any_nameless());
  CHECK_FALSE(taken({R"({"index":0,"function":{"name":"f"}})"}).any_nameless());
}

using Form = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a chat completion says of tools what there is to say") {
  using Kind = core::ToolChoice::Kind;
  core::Parameters asked;
  const core::Model model;
  const core::Provider provider;
  const auto form = [&] { return chat_form(model, provider, asked); };
  asked.tool_choice = {Kind::kRequired, "", false};
  CHECK(form().empty());
  asked.tools.push_back({"f", "", "", {}});
  const std::string tools = chat_tools_json(asked.tools);
  CHECK(form() == Form{{"tools", tools},
                       {"tool_choice", "\"required\""},
                       {"parallel_tool_calls", "false"}});
  asked.tool_choice = {Kind::kNamed, "f", true};
  CHECK(form()[1].second == R"({"type":"function","function":{"name":"f"}})");
  CHECK(openai_tool_choice(asked.tool_choice, "") ==
        R"({"type":"function","name":"f"})");
  asked.tool_choice = {};
  CHECK(form() == Form{{"tools", tools}});
}

TEST_CASE("messages of a chat completion have calls and what they gave") {
  core::Prompt prompt;
  prompt.system = "s";
  prompt.messages = {{core::Role::kUser, "q"},
                     {core::Role::kAssistant, "", {{"c1", "f", "{ }"}}},
                     {core::Role::kTool, "a", {}, "c1", "f"}};
  CHECK(chat_messages_json(prompt) ==
        R"([{"role":"system","content":"s"},{"role":"user","content":"q"},)"
        R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1",)"
        R"("type":"function","function":{"name":"f","arguments":"{ }"}}]},)"
        R"({"role":"tool","tool_call_id":"c1","content":"a"}])");
}

TEST_CASE("which schemas a strict server takes") {
  struct Case {
    const char* schema;
    bool strict;
  };
  for (
      const auto& [schema, strict] : std::vector<Case>{
          {R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})",
           true},
          {R"({"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"required":["a"],"additionalProperties":false,"$defs":{"b":{"anyOf":[{"type":"null"},{"type":"array","items":{"type":"number"}}]}}})",
           true},
          {R"({"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false})",
           false},
          {R"({"type":"object","properties":{},"required":[]})", false},
          {R"({"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],"additionalProperties":false})",
           false},
          {R"({"type":"object","properties":{"a":{"type":"object"}},"required":["a"],"additionalProperties":false})",
           false},
          {R"({"type":"object","properties":{"a":{"type":"array","items":{"allOf":[]}}},"required":["a"],"additionalProperties":false})",
           false},
          {R"({"type":"array","items":{"type":"string"}})", false},
          {"true", false},
          {"", false}}) {
    CAPTURE(schema);
    CHECK(is_strict_schema(schema) == strict);
  }
}

}  // namespace
}  // namespace llmroute::provider
