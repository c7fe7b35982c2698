#include "core/tool_list.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::core {
namespace {

TEST_CASE("OAI-4: tools in the forms of the vendors are the same tools") {
  for (
      const char* text :
      {R"([{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object", "x":1.50},"strict":true}}])",
       R"([{"type":"function","name":"f","description":"d","parameters":{"type":"object","x":1.50},"strict":true}])",
       R"([{"name":"f","description":"d","input_schema":{"type":"object","x":1.50},"strict":true}])"}) {
    CAPTURE(text);
    const auto tools = read_tools(text);
    REQUIRE(tools.has_value());
    REQUIRE(tools->size() == 1);
    const Tool& tool = tools->front();
    CHECK(tool.name == "f");
    CHECK(tool.description == "d");
    CHECK(tool.parameters == R"({"type":"object","x":1.50})");
    CHECK(tool.strict == true);
  }
  const auto tools = read_tools(R"([{"name":"a"},{"name":"b"}])");
  REQUIRE(tools.has_value());
  CHECK(tools->at(1).name == "b");
  CHECK(tools->at(1).parameters == "");
  CHECK_FALSE(tools->at(1).strict.has_value());
}

TEST_CASE("null says nothing of a tool") {
  const auto tools = read_tools(
      R"([{"type":"function","function":{"name":"f","description":null,"parameters":null,"strict":null}}])");
  REQUIRE(tools.has_value());
  CHECK(tools->front().description == "");
  CHECK(tools->front().parameters == "");
  CHECK_FALSE(tools->front().strict.has_value());
}

TEST_CASE("what cannot be passed on is refused with its place") {
  struct Told {
    const char *text, *why;
  };
  const char* const field =
      "expected the name (letters, digits, '_' and '-'), description, "
      "parameters or strict of a function";
  for (const auto& [text, why] : std::vector<Told>{
           {"", "not valid JSON"},
           {"{}", "expected an array of tools"},
           {"[]", "expected an array of tools"},
           {"[1]", "at /0: expected an object"},
           {"[{}]", "at /0: a function without a name"},
           {R"([{"name":"f"},{"name":"f"}])", "at /1: 'f' stands twice"},
           {R"([{"type":"function","function":{"description":"d"}}])",
            "at /0/function: a function without a name"},
           {R"([{"type":"function","function":{"name":"f"},"x":1}])",
            R"(at /0: expected only "type":"function" beside it)"}}) {
    CAPTURE(text);
    const auto tools = read_tools(text);
    REQUIRE_FALSE(tools.has_value());
    CHECK(tools.error().message == why);
  }
  struct Place {
    const char *text, *at;
  };
  for (const auto& [text, at] : std::vector<Place>{
           {R"([{"type":"web_search"}])", "/0/type"},
           {R"([{"name":"a b"}])", "/0/name"},
           {R"([{"name":""}])", "/0/name"},
           {R"([{"name":"f","parameters":"x"}])", "/0/parameters"},
           {R"([{"name":"f","cache_control":{}}])", "/0/cache_control"},
           {R"([{"type":"function","function":{"name":"f","strict":1}}])",
            "/0/function/strict"}}) {
    CAPTURE(text);
    const auto tools = read_tools(text);
    REQUIRE_FALSE(tools.has_value());
    CHECK(tools.error().message == "at " + std::string(at) + ": " + field);
  }
}

TEST_CASE("a call is one line of JSON") {
  CHECK(tool_call_json({"a", "f", "{ \"x\" :\n 1.0 }"}) ==
        R"({"id":"a","name":"f","arguments":{"x":1.0}})");
  CHECK(tool_call_json({"", "f", "{\"x\":"}) ==
        R"({"id":null,"name":"f","arguments":"{\"x\":"})");
  CHECK(tool_call_json({"a", "f", "[1]"}) ==
        R"({"id":"a","name":"f","arguments":"[1]"})");
}

}  // namespace
}  // namespace llmroute::core
