#include "core/needs.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace llmroute::core {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("what a request says needs somebody who can be told") {
  Prompt prompt;
  Parameters& asked = prompt.parameters;
  asked.tool_choice = {ToolChoice::Kind::kRequired, "", false};
  CHECK(needs_of(prompt).empty());
  asked.tools.push_back({"f", "", "", {}});
  CHECK(needs_of(prompt) ==
        Names{"tools", "tool_choice", "parallel_tool_calls"});
  asked.tool_choice = {};
  asked.schema = "{}";
  CHECK(needs_of(prompt) == Names{"json", "tools"});
}

TEST_CASE("tools that are not to be called need nothing") {
  Prompt prompt;
  prompt.parameters.tools.push_back({"f", "", "", {}});
  prompt.parameters.tool_choice = {ToolChoice::Kind::kNone, "", false};
  CHECK(needs_of(prompt).empty());
  Model plain, able;
  able.tags = {"tools"};
  Provider provider;
  for (const auto& [protocol, told] : {std::pair{Protocol::kOpenAiChat, true},
                                       std::pair{Protocol::kOllama, false},
                                       std::pair{Protocol::kExec, false}}) {
    CAPTURE(protocol_name(protocol));
    provider.protocol = protocol;
    CHECK(tells_tools(able, provider, prompt.parameters) == told);
    CHECK_FALSE(tells_tools(plain, provider, prompt.parameters));
    CHECK_FALSE(tells_tools(able, provider, {}));
  }
  prompt.parameters.tool_choice = {};
  CHECK(tells_tools(plain, provider, prompt.parameters));
}

TEST_CASE("calls among the messages need somebody who knows calls") {
  Prompt prompt;
  prompt.messages = {{Role::kUser, "q"},
                     {Role::kAssistant, "", {{"c1", "f", "{}"}}},
                     {Role::kTool, "a", {}, "c1", "f"}};
  CHECK(needs_of(prompt) == Names{"tools", "tool_results"});
  CHECK(prompt.question().text == "q");
}

TEST_CASE("protocols differ in what they can say of calls") {
  struct Case {
    Protocol protocol;
    bool choice, parallel;
  };
  for (const Case& one : {Case{Protocol::kOpenAiChat, true, true},
                          {Protocol::kOpenAiResponses, true, true},
                          {Protocol::kAnthropic, true, true},
                          {Protocol::kGemini, true, false},
                          {Protocol::kOllama, false, false},
                          {Protocol::kExec, false, false}}) {
    CAPTURE(protocol_name(one.protocol));
    CHECK(can_say(one.protocol, "tool_choice") == one.choice);
    CHECK(can_say(one.protocol, "parallel_tool_calls") == one.parallel);
    CHECK(can_say(one.protocol, "tool_results") ==
          (one.protocol != Protocol::kExec));
    CHECK_FALSE(can_say(one.protocol, "tools").has_value());
  }
}

}  // namespace
}  // namespace llmroute::core
