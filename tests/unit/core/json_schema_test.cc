#include "core/json_schema.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::core {
namespace {

std::string why_not(const std::string& schema, const std::string& text) {
  auto parsed = JsonSchema::parse(schema);
  if (!parsed) FAIL(schema << ": " << parsed.error().message);
  const auto checked = parsed->check(text);
  return checked ? "" : checked.error().message;
}

std::string refusal(const std::string& schema) {
  const auto parsed = JsonSchema::parse(schema);
  return parsed ? "" : parsed.error().message;
}

struct Case {
  const char* schema;
  std::vector<const char*> fit, unfit;
};

void check_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.schema);
    for (const char* text : c.fit) {
      CAPTURE(text);
      CHECK(why_not(c.schema, text) == "");
    }
    for (const char* text : c.unfit) {
      CAPTURE(text);
      CHECK(why_not(c.schema, text) != "");
    }
  }
}

TEST_CASE("types and values") {
  check_all(
      {{"true", {"1", "null"}, {}},
       {"{}", {"1", "{}"}, {}},
       {"false", {}, {"1", "{}"}},
       {R"({"type":"string"})", {R"("")"}, {"1", "null", "[]"}},
       {R"({"type":["null","boolean"]})", {"null", "false"}, {"0", R"("")"}},
       {R"({"type":"integer"})",
        {"1", "-0", "1.0", "1e3", "123456789012345678901234567890"},
        {"1.5", R"("1")", "true"}},
       {R"({"type":"number"})", {"1.5", "1e400", "2"}, {R"("1")", "null"}},
       {R"({"enum":["a",1,null,[1,{"x":2,"y":[]}]]})",
        {R"("a")", "1.0", "null", R"([1,{"y":[],"x":2e0}])"},
        {R"("b")", "true", R"([{"x":2,"y":[]},1])", "0"}},
       {R"({"const":9007199254740993})",
        {"9007199254740993"},
        {"9007199254740992"}},
       {R"({"const":null})", {"null"}, {"0", "false"}}});
}

TEST_CASE("objects") {
  check_all({{R"({"properties":{"a":{"type":"string"},"b":false}})",
              {"{}", R"({"a":"x","c":1})", "[]", "1"},
              {R"({"a":1})", R"({"b":1})", R"({"b":null})"}},
             {R"({"required":["a","b"]})",
              {R"({"a":null,"b":1})", "3"},
              {R"({"a":1})", "{}"}},
             {R"({"properties":{"a":true},"additionalProperties":false})",
              {R"({"a":1})", "{}"},
              {R"({"b":1})"}},
             {R"({"additionalProperties":{"type":"integer"}})",
              {R"({"a":1,"b":2})"},
              {R"({"a":"x"})"}},
             {R"({"minProperties":1,"maxProperties":2})",
              {R"({"a":1})", R"({"a":1,"b":2})"},
              {"{}", R"({"a":1,"b":2,"c":3})"}},
             // Whichever a reader takes, it fits.
             {R"({"properties":{"a":{"type":"string"}}})",
              {R"({"a":"x","a":"y"})"},
              {R"({"a":1,"a":"y"})", R"({"a":"x","a":1})"}}});
}

TEST_CASE("arrays") {
  check_all({{R"({"items":{"type":"integer"}})",
              {"[]", "[1,2]", "{}"},
              {"[1,\"a\"]"}},
             {R"({"prefixItems":[{"type":"string"},true],"items":false})",
              {"[]", R"(["a"])", R"(["a",1])"},
              {"[1]", R"(["a",1,2])"}},
             {R"({"minItems":1,"maxItems":2})", {"[1]"}, {"[]", "[1,2,3]"}},
             {R"({"uniqueItems":true})",
              {"[1,2,\"1\",[1],{\"a\":1}]"},
              {"[1,1.0]", R"([{"a":1,"b":2},{"b":2,"a":1}])"}},
             {R"({"uniqueItems":false})", {"[1,1]"}, {}}});
}

TEST_CASE("strings and numbers") {
  check_all(
      {{R"({"minLength":2,"maxLength":3})",
        {R"("ab")", "\"\u00e4\U0001f680\u00f6\"", "1"},
        {R"("a")", "\"\u00e4\"", R"("abcd")"}},
       {R"({"pattern":"^[a-z]+$"})", {R"("abc")", "5"}, {R"("aB")", R"("")"}},
       {R"({"pattern":"b"})", {R"("abc")"}, {R"("ac")"}},
       {R"({"minimum":0,"exclusiveMaximum":10})",
        {"0", "9.99", "\"x\""},
        {"-0.1", "10", "1e400"}},
       {R"({"exclusiveMinimum":0,"maximum":1})",
        {"1", "0.5"},
        {"0", "1.1", "1e-400"}},
       {R"({"multipleOf":0.1})", {"0.3", "1", "0"}, {"0.35"}},
       {R"({"multipleOf":3})", {"9", "-3"}, {"10", "1e400"}},
       {R"({"format":"date"})", {R"("2026-02-28")"}, {R"("2026-13-01")"}},
       {R"({"format":"date-time"})",
        {R"("2026-01-01T10:00:00Z")", R"("2026-01-01t10:00:00.5+01:00")"},
        {R"("2026-01-01")", R"("2026-01-01T25:00:00Z")"}},
       {R"({"format":"email"})", {R"("a@b.org")"}, {R"("a")", R"("a@ b")"}},
       {R"({"format":"uuid"})",
        {R"("12345678-1234-1234-1234-123456789abc")"},
        {R"("12345678")"}},
       {R"({"format":"uri"})", {R"("https://a/b?c")"}, {R"("a b")", R"("//")"}},
       {R"({"format":"ipv4"})",
        {R"("127.0.0.1")"},
        {R"("127.0.0.256")", R"("1.2.3")", R"("1.2.3.4.")"}},
       {R"({"format":"hostname"})", {R"("a-b.org")"}, {R"("-a")"}}});
}

TEST_CASE("combined schemas and references") {
  check_all(
      {{R"({"allOf":[{"type":"integer"},{"minimum":3}]})", {"3"}, {"2", "3.5"}},
       {R"({"anyOf":[{"type":"integer"},{"minimum":3}]})",
        {"1", "3.5", "\"x\""},
        {"2.5"}},
       {R"({"oneOf":[{"type":"integer"},{"minimum":3}]})",
        {"1", "3.5"},
        {"3", "2.5"}},
       {R"({"not":{"type":"string"}})", {"1"}, {R"("a")"}},
       {R"({"not":{"not":{"type":"string"}}})", {R"("a")"}, {"1"}},
       {R"({"$ref":"#/$defs/a~1b%20c","$defs":{"a/b c":{"type":"string"}}})",
        {R"("x")"},
        {"1"}},
       {R"({"properties":{"a":{"type":"string"},"b":{"$ref":"#/properties/a"}}})",
        {R"({"b":"x"})"},
        {R"({"b":1})"}},
       {R"({"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}},"required":["kids"]})",
        {R"({"kids":[{"kids":[]}]})"},
        {R"({"kids":[{"kids":[{}]}]})"}}});
}

TEST_CASE("what does not fit is told with its place") {
  struct Told {
    const char *schema, *text, *why;
  };
  for (const auto& [schema, text, why] : std::vector<Told>{
           {"{}", "{\"a\":", "not valid JSON"},
           {"{}", "yes", "not valid JSON"},
           {"{}", "", "not valid JSON"},
           {R"({"type":["integer","null"]})", R"("a")",
            "at /: no integer or null"},
           {R"({"properties":{"a/b":{"items":{"type":"string"}}}})",
            R"({"a/b":["x",1]})", "at /a~1b/1: no string"},
           {R"({"required":["name"]})", "{}", "at /: 'name' is missing"},
           {R"({"properties":{"a":{"anyOf":[{"type":"null"},{"const":1}]}}})",
            R"({"a":2})", "at /a: fits nothing of anyOf"},
           {R"({"additionalProperties":false})", R"({"x":1})",
            "at /x: nothing may be here"}}) {
    CAPTURE(schema);
    CHECK(why_not(schema, text) == why);
  }
}

TEST_CASE("a keyword that is not enforced is refused with its place") {
  struct Told {
    const char *schema, *why;
  };
  for (const auto& [schema, why] : std::vector<Told>{
           {"", "not valid JSON"},
           {"{", "not valid JSON"},
           {"1", "at #: expected a schema"},
           {R"({"if":{}})",
            "at #/if: keyword 'if' is not enforced here, so the schema is "
            "refused"},
           {R"({"properties":{"a":{"nullable":true}}})",
            "at #/properties/a/nullable: keyword 'nullable' is not enforced "
            "here, so the schema is refused"},
           {R"({"$defs":{"unused":{"contains":{}}}})",
            "at #/$defs/unused/contains: keyword 'contains' is not enforced "
            "here, so the schema is refused"},
           {R"({"format":"ipv6"})",
            "at #/format: format 'ipv6' is not checked here"},
           {R"({"type":"text"})", "at #/type: expected types of JSON Schema"},
           {R"({"type":[]})", "at #/type: expected types of JSON Schema"},
           {R"({"items":[{}]})", "at #/items: expected a schema"},
           {R"({"minLength":-1})",
            "at #/minLength: expected a whole number from 0 on"},
           {R"({"exclusiveMinimum":true})",
            "at #/exclusiveMinimum: expected a number"},
           {R"({"multipleOf":0})",
            "at #/multipleOf: expected a number above 0"},
           {R"({"required":"a"})", "at #/required: expected an array of names"},
           {R"({"anyOf":[]})", "at #/anyOf: expected an array of schemas"},
           {R"({"$ref":"other.json"})",
            "at #/$ref: expected a place in this document, such as "
            "#/$defs/name"},
           {R"({"$ref":"#/$defs/x"})",
            "at #/$ref: there is no schema at #/$defs/x"},
           {R"({"items":{"$id":"a"}})",
            "at #/items/$id: $id is only known at the root"},
           {R"({"$schema":"http://json-schema.org/draft-04/schema#"})",
            "at #/$schema: expected draft 2020-12 or draft-07"},
           {R"({"type":"string","type":"number"})",
            "at #/type: keyword 'type' stands twice"}}) {
    CAPTURE(schema);
    CHECK(refusal(schema) == why);
  }
  CHECK(refusal("{\"pattern\":\"(?=a)\"}").find("RE2") != std::string::npos);
  CHECK(
      refusal(
          R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"a","title":"t","description":"d","default":1,"examples":[],"$comment":"c","deprecated":true,"readOnly":true,"writeOnly":true})") ==
      "");
}

TEST_CASE("schemas that lead back to themselves are refused") {
  CHECK(refusal(R"({"$ref":"#"})") == "at #: the schema refers to itself");
  CHECK(
      refusal(
          R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}})") !=
      "");
  // Each place of a value is gone to by one chain, which is short.
  std::string chain = R"({"$ref":"#/$defs/0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = std::to_string(i + 1);
    chain +=
        "\"" + std::to_string(i) + R"(":{"$ref":"#/$defs/)" + next + "\"},";
  }
  CHECK(refusal(chain + R"("40":true}})") != "");
}

TEST_CASE("hostile answers end soon") {
  // Twice as many steps with each level.
  const std::string doubling =
      R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"items":{"$ref":"#/$defs/a"},"minItems":1},{"items":{"$ref":"#/$defs/a"},"type":"array","minItems":1}]}}})";
  const std::string nested = std::string(60, '[') + "[]" + std::string(60, ']');
  CHECK(why_not(doubling, nested) == "too deep to be checked");
  // A pattern that a backtracking matcher would never be done with.
  CHECK(why_not("{\"pattern\":\"^(a+)+$\"}",
                "\"" + std::string(100'000, 'a') + "b\"") != "");
  CHECK(why_not("{}", std::string(100, '[') + std::string(100, ']')) ==
        "not valid JSON");
}

}  // namespace
}  // namespace llmroute::core
