#include "core/needs.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::core {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("what a request says needs somebody who can be told") {
  Parameters asked;
  asked.tool_choice = {ToolChoice::Kind::kRequired, "", false};
  CHECK(needs_of(asked).empty());
  asked.tools.push_back({"f", "", "", {}});
  CHECK(needs_of(asked) ==
        Names{"tools", "tool_choice", "parallel_tool_calls"});
  asked.tool_choice = {};
  asked.schema = "{}";
  CHECK(needs_of(asked) == Names{"json", "tools"});
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
    CHECK_FALSE(can_say(one.protocol, "tools").has_value());
  }
}

}  // namespace
}  // namespace llmroute::core
