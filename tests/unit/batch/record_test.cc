#include "batch/record.h"

#include <doctest/doctest.h>

#include <string>

using llmroute::batch::duplicate_id;
using llmroute::batch::Form;
using llmroute::batch::override_routing;
using llmroute::batch::Record;
using llmroute::batch::RecordOptions;
using llmroute::batch::RecordParser;
using llmroute::batch::Template;
using llmroute::batch::too_long_record;
using llmroute::core::Role;

namespace {

Record any(std::string_view line, RecordOptions options = {}) {
  RecordParser parser(std::move(options));
  return parser.parse(line, 7);
}

Record good(std::string_view line, RecordOptions options = {}) {
  Record record = any(line, std::move(options));
  CAPTURE(std::string(line));
  if (record.error) FAIL(record.error->message);
  return record;
}

// "code: message"
std::string error_of(std::string_view line, RecordOptions options = {}) {
  const Record record = any(line, std::move(options));
  CAPTURE(std::string(line));
  REQUIRE(record.error);
  CHECK(record.line == 7);
  return record.error->code + ": " + record.error->message;
}

bool says(const std::string& error, std::string_view code,
          std::string_view part = "") {
  return error.starts_with(std::string(code) + ": ") &&
         error.find(part) != std::string::npos;
}

RecordOptions with_template(std::string_view text) {
  RecordOptions options;
  options.prompt = *Template::parse(text);
  return options;
}

}  // namespace

TEST_CASE("a native record is read with all its fields") {
  const Record record = good(
      R"( {"id":"row-17","prompt":"caf\u00e9\n?","system":"Be brief.",
          "model":"cheap-a","route":"code","max_tokens":256,"temperature":0.5,
          "stop":["a","b"],"seed":-3,"timeout":"30s","max_cost":0.000001,
          "fallback":["cheap-b"],"tags":{"team":"x"},"meta":{ "any" : 1 },
          "schema":{"type":"object"}} )");
  CHECK(record.line == 7);
  CHECK(record.id == "row-17");
  CHECK(!record.numeric_id);
  CHECK(record.form == Form::kNative);
  CHECK(record.prompt.system == "Be brief.");
  REQUIRE(record.prompt.messages.size() == 1);
  CHECK(record.prompt.messages[0].text == "caf\xc3\xa9\n?");
  CHECK(record.prompt.parameters.max_tokens == 256);
  CHECK(record.prompt.parameters.temperature == 0.5);
  CHECK(record.prompt.parameters.stop == std::vector<std::string>{"a", "b"});
  CHECK(record.prompt.parameters.seed == -3);
  CHECK(record.overrides.model == "cheap-a");
  CHECK(record.overrides.route == "code");
  CHECK(record.overrides.timeout == std::chrono::seconds(30));
  CHECK(record.overrides.max_cost == llmroute::core::Money{1'000'000});
  CHECK(record.overrides.fallback == std::vector<std::string>{"cheap-b"});
  CHECK(record.overrides.tags.at("team") == "x");
  CHECK(record.meta == R"({ "any" : 1 })");
  CHECK(record.prompt.parameters.schema == R"({"type":"object"})");
  CHECK(record.input.empty());
}

TEST_CASE("OAI-4: a native record has tools in any vendor's form") {
  const Record record = good(
      R"({"prompt":"p","tool_choice":{"type":"function","name":"g"},"tools":)"
      R"([{"name":"f","input_schema":{"type":"object"}},{"name":"g"}]})");
  const auto& asked = record.prompt.parameters;
  REQUIRE(asked.tools.size() == 2);
  CHECK(asked.tools[0].parameters == R"({"type":"object"})");
  CHECK(asked.tool_choice.name == "g");
  CHECK(good(R"({"prompt":"p","tools":[]})").prompt.parameters.tools.empty());
}

TEST_CASE("what is null or \"auto\" is as if it were not there") {
  const Record record = good(
      R"({"id":null,"prompt":"p","messages":null,"system":null,"model":"auto",
          "route":null,"max_tokens":null,"temperature":null,"stop":null,
          "seed":null,"timeout":null,"max_cost":null,"fallback":null,
          "tags":null,"meta":null,"schema":null})");
  CHECK(record.id == "7");
  CHECK(!record.overrides.model);
  CHECK(!record.overrides.route);
  CHECK(!record.overrides.fallback);
  CHECK(!record.prompt.parameters.max_tokens);
  CHECK(record.meta.empty());
  CHECK(!good(R"({"prompt":"p","model":""})").overrides.model);
}

TEST_CASE("an id is a string or a number, else the line's number") {
  CHECK(good(R"({"prompt":"p"})").id == "7");
  const Record number =
      good(R"({"id":-123456789012345678901234567890,"prompt":"p"})");
  CHECK(number.id == "-123456789012345678901234567890");
  CHECK(number.numeric_id);
  CHECK(says(error_of(R"({"id":true,"prompt":"p"})"), "bad_value", "'id'"));
  CHECK(says(error_of(R"({"id":"","prompt":"p"})"), "bad_value", "empty"));
  // An error keeps the id and the meta that could be read.
  const Record bad = any(R"({"id":"a","prompt":1,"meta":[1]})");
  CHECK(bad.error);
  CHECK(bad.id == "a");
  CHECK(bad.meta == "[1]");
}

TEST_CASE("messages: roles, parts, and system text in any place") {
  const Record record = good(
      R"({"messages":[{"role":"system","content":"one"},
          {"role":"user","content":"hi"},
          {"role":"assistant","content":"hello"},
          {"role":"developer","content":"two"},
          {"role":"user","content":[{"type":"text","text":"a"},
                                    {"type":"text","text":"b"}]}],
          "system":"first"})");
  CHECK(record.prompt.system == "first\n\none\n\ntwo");
  REQUIRE(record.prompt.messages.size() == 3);
  CHECK(record.prompt.messages[1].role == Role::kAssistant);
  CHECK(record.prompt.messages[2].text == "a\nb");
}

TEST_CASE("calls among the messages come with what they gave") {
  const Record record = good(
      R"({"messages":[{"role":"user","content":"q"},
          {"role":"assistant","content":null,"tool_calls":[
            {"id":"c1","type":"function","index":0,
             "function":{"name":"f","arguments":"{ \"a\":1.0}"}},
            {"id":"c2","name":"g","arguments":{"b" : [2]}},
            {"id":"c3","function":{"name":"h","arguments":" "}}]},
          {"role":"tool","tool_call_id":"c2","content":"two"},
          {"role":"tool","tool_call_id":"c1","name":"f",
           "content":[{"type":"text","text":"one"}]},
          {"role":"tool","tool_call_id":"c3","content":""}]})");
  const auto& messages = record.prompt.messages;
  REQUIRE(messages.size() == 5);
  const auto& calls = messages[1].calls;
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].arguments == R"({ "a":1.0})");
  CHECK(calls[1].name == "g");
  CHECK(calls[1].arguments == R"({"b" : [2]})");
  CHECK(calls[2].arguments == "{}");
  CHECK(messages[2].role == Role::kTool);
  CHECK(messages[2].call_name == "g");
  CHECK(messages[3].text == "one");
  CHECK(record.prompt.question().text == "q");
}

TEST_CASE("items of responses have calls and what they gave") {
  const Record record = good(
      R"({"custom_id":"a","url":"/v1/responses","body":{"input":[
          {"role":"user","content":"q"},
          {"type":"message","role":"assistant","content":"Let me see."},
          {"type":"function_call","id":"fc_1","status":"completed",
           "call_id":"c1","name":"f","arguments":"{}"},
          {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
          {"type":"function_call_output","call_id":"c1","output":"one"},
          {"type":"function_call_output","call_id":"c2","output":"two"},
          {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
          {"type":"function_call_output","call_id":"c1","output":"three"}]}})");
  const auto& messages = record.prompt.messages;
  REQUIRE(messages.size() == 6);
  CHECK(messages[1].text == "Let me see.");
  CHECK(messages[1].calls.size() == 2);
  CHECK(messages[3].call_name == "g");
  CHECK(messages[4].calls.size() == 1);
  CHECK(messages[5].text == "three");
}

TEST_CASE("calls and results that do not belong together say so") {
  const auto call = [](const std::string& id, const std::string& arguments) {
    return R"({"id":")" + id + R"(","name":"f","arguments":)" + arguments + "}";
  };
  const auto answer = [](const std::string& calls) {
    return R"({"role":"assistant","tool_calls":[)" + calls + "]}";
  };
  const std::string user = R"({"role":"user","content":"q"})";
  const std::string one = answer(call("c1", "{}"));
  const std::string result =
      R"({"role":"tool","tool_call_id":"c1","content":"r"})";
  struct Case {
    std::vector<std::string> messages;
    const char* part;
  };
  for (const Case& each : std::vector<Case>{
           {{user, one}, "the call 'c1' before has no result"},
           {{user, one, user}, "messages[2]: the call 'c1' before has no"},
           {{user, one, one, result}, "messages[2]: the call 'c1' before"},
           {{user, result}, "messages[1]: the answer before has no call"},
           {{user, one, result, user, result}, "messages[4]: the answer"},
           {{user, one, result, result}, "messages[3]: the call 'c1' has its"},
           {{one, result}, "the prompt is empty"},
           {{user, answer(call("", "{}"))}, "without an id"},
           {{user, answer(R"({"id":"c1","name":"f"},)" + call("c1", "{}"))},
            "two calls have the id 'c1'"},
           {{user, answer(call("c1", "[1]"))}, "'arguments'"},
           {{user, answer(call("c1", "\"{\""))}, "no JSON object"},
           {{user, answer(call("\\ud83d", "{}"))}, "surrogate"},
           {{user, R"({"role":"assistant","tool_calls":{}})"}, "not a list"},
           {{user, R"({"role":"assistant","content":null})"}, "'content'"},
       }) {
    std::string list;
    for (const std::string& message : each.messages) {
      list += (list.empty() ? "" : ",") + message;
    }
    const std::string error = error_of(R"({"messages":[)" + list + "]}");
    CAPTURE(list);
    CAPTURE(error);
    CHECK(says(error, "bad_value", each.part));
  }
}

TEST_CASE("messages that cannot be asked say where and why") {
  struct Case {
    const char* messages;
    const char* code;
    const char* part;
  };
  for (const Case& one : {
           Case{"{}", "bad_value", "not a list"},
           {"[]", "bad_value", "last message"},
           {R"([1])", "bad_value", "messages[0]: not an object"},
           {R"([{"role":"user"}])", "bad_value", "'content'"},
           {R"([{"role":"user","content":1}])", "bad_value", "'content'"},
           {R"([{"role":"user","content":" \n"}])", "bad_value", "empty"},
           {R"([{"role":"system","content":"x"}])", "bad_value", "last"},
           {R"([{"role":"user","content":"x"},
                {"role":"assistant","content":"y"}])",
            "bad_value", "last"},
           {R"([{"role":"tool","content":"x"}])", "bad_value",
            "does not say of which call"},
           {R"([{"content":"x"}])", "unsupported", "role ''"},
           {R"([{"role":"user","content":"x"},
                {"role":"assistant","content":"x","tool_calls":[{}]}])",
            "bad_value", "messages[1]: a call without 'name'"},
           {R"([{"role":"user","content":[{"type":"image_url"}]}])",
            "unsupported", "'image_url'"},
           {R"([{"role":"user","content":[{"type":"text"}]}])", "bad_value",
            "'text'"},
           {R"([{"role":"user","content":[{"type":"text","text":"\ud83d"}]}])",
            "bad_value", "surrogate"},
       }) {
    const std::string error =
        error_of(R"({"messages":)" + std::string(one.messages) + "}");
    CAPTURE(error);
    CHECK(says(error, one.code, one.part));
  }
}

TEST_CASE("values out of bounds name their field") {
  struct Case {
    const char* field;
    const char* value;
  };
  for (const Case& one : {
           Case{"prompt", "1"},
           {"prompt", "\"\""},
           {"prompt", "[\"a\"]"},
           {"system", "{}"},
           {"model", "[\"a\"]"},
           {"route", "1"},
           {"max_tokens", "0"},
           {"max_tokens", "-1"},
           {"max_tokens", "1.5"},
           {"max_tokens", "\"9\""},
           {"max_tokens", "1e400"},
           {"temperature", "-0.1"},
           {"temperature", "101"},
           {"temperature", "\"1\""},
           {"stop", "1"},
           {"stop", "[1]"},
           {"seed", "1.5"},
           {"seed", "99999999999999999999"},
           {"timeout", "0"},
           {"timeout", "\"soon\""},
           {"timeout", "-1"},
           {"max_cost", "-1"},
           {"max_cost", "1e400"},
           {"max_cost", "\"1\""},
           {"fallback", "{}"},
           {"tags", "[]"},
           {"tags", "{\"a\":1}"},
           {"schema", "true"},
           {"schema", "{\"type\":\"x\"}"},
           {"schema", "{\"unheard\":1}"},
       }) {
    std::string line =
        R"({"prompt":"p",")" + std::string(one.field) + "\":" + one.value + "}";
    if (one.field == std::string("prompt")) {
      line = R"({"prompt":)" + std::string(one.value) + "}";
    }
    const std::string error = error_of(line);
    CAPTURE(error);
    CHECK(says(error, "bad_value", one.field));
  }
  CHECK(says(error_of(R"({"prompt":"p","messages":[]})"), "bad_value", "both"));
}

TEST_CASE("numbers that mean the same are taken: 2e2, 12.0, 1e-5") {
  const Record record = good(
      R"({"prompt":"p","max_tokens":2e2,"seed":12.0,"max_cost":1e-5,
          "timeout":1.5})");
  CHECK(record.prompt.parameters.max_tokens == 200);
  CHECK(record.prompt.parameters.seed == 12);
  CHECK(record.overrides.max_cost == llmroute::core::Money{10'000'000});
  CHECK(record.overrides.timeout == std::chrono::milliseconds(1500));
}

TEST_CASE("unknown fields are errors with a hint, unless they are ignored") {
  CHECK(error_of(R"({"prompt":"p","max_token":1})") ==
        "unknown_field: unknown field 'max_token' (did you mean "
        "'max_tokens'?)");
  CHECK(error_of(R"({"promt":"p"})") ==
        "unknown_field: unknown field 'promt' (did you mean 'prompt'?)");
  CHECK(error_of(R"({"prompt":"p","zzzzzzzz":1})") ==
        "unknown_field: unknown field 'zzzzzzzz'");
  CHECK(says(error_of(R"({"zzzzzzzz":1})"), "missing_field", "--template"));
  CHECK(says(error_of("{}"), "missing_field", "'prompt'"));
  RecordOptions ignoring;
  ignoring.ignore_unknown = true;
  CHECK(good(R"({"prompt":"p","max_token":1,"x":{}})", ignoring)
            .prompt.messages[0]
            .text == "p");
}

TEST_CASE("I10: a record cannot set an address, a key, a header, a command") {
  for (const bool ignore : {false, true}) {
    for (const char* field :
         {"base_url", "api_key", "headers", "argv", "command", "API_KEY",
          "key_command", "proxy", "extra_headers", "provider"}) {
      RecordOptions options;
      options.ignore_unknown = ignore;
      const std::string member = "\"" + std::string(field) + "\":\"x\"";
      CHECK(says(error_of("{\"prompt\":\"p\"," + member + "}", options),
                 "unknown_field", field));
      CHECK(
          says(error_of("{" + member + "}", options), "unknown_field", field));
      CHECK(says(error_of(R"({"custom_id":"a","method":"POST",
                              "url":"/v1/chat/completions","body":{)" +
                              member +
                              R"(,"messages":[{"role":"user",
                              "content":"x"}]}})",
                          options),
                 "unknown_field", field));
      CHECK(says(error_of(R"({"custom_id":"a","method":"POST",
                              "url":"/v1/chat/completions",)" +
                              member +
                              R"(,"body":{"messages":[{"role":"user",
                              "content":"x"}]}})",
                          options),
                 "unknown_field", field));
    }
  }
}

TEST_CASE("I6: a torn line is an error record, whatever it was cut in") {
  const std::string whole =
      R"({"id":"a","prompt":"caf\u00e9 \"x\"","max_tokens":12,"meta":[1,{}]})";
  REQUIRE(!any(whole).error);
  for (size_t size = 1; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(says(error_of(whole.substr(0, size)), "bad_json"));
  }
}

TEST_CASE("I2: invalid UTF-8 is told with its place") {
  CHECK(says(error_of("{\"prompt\":\"a\xff\"}"), "not_utf8", "byte 12"));
  CHECK(says(error_of("{\"prompt\":\"p\",\"meta\":\"\xed\xa0\xbd\"}"),
             "not_utf8"));
  RecordOptions lines;
  lines.lines = true;
  CHECK(says(error_of("ab\xc3", lines), "not_utf8", "byte 2"));
}

TEST_CASE("I3: NUL, U+2028 and controls in a prompt are its text") {
  const Record record =
      good("{\"prompt\":\"a\\u0000\\u2028\\u001b[2J\xe2\x80\xa8\x7f\"}");
  CHECK(record.prompt.messages[0].text ==
        std::string("a\0\xe2\x80\xa8\x1b[2J\xe2\x80\xa8\x7f", 13));
  CHECK(
      says(error_of(std::string_view("{\"prompt\":\"a\0\"}", 14)), "bad_json"));
}

TEST_CASE("I8: an object key that occurs twice is an error at any level") {
  for (const char* line :
       {R"({"prompt":"p","prompt":"q"})", R"({"prompt":"p","promp\u0074":"q"})",
        R"({"prompt":"p","meta":{"a":{"b":1,"c":2,"b":3}}})",
        R"({"messages":[{"role":"user","role":"user","content":"x"}]})",
        R"({"prompt":"p","meta":{"\ud83d":1,"\ud83d":2}})"}) {
    CHECK(says(error_of(line), "bad_json", "occurs twice"));
  }
  std::string many = R"({"prompt":"p","meta":{)";
  for (int i = 0; i < 1000; ++i) many += "\"k" + std::to_string(i) + "\":1,";
  CHECK(!any(many + "\"last\":1}}").error);
  CHECK(says(error_of(many + "\"k999\":1}}"), "bad_json", "'k999'"));
  CHECK(says(error_of(many + "\"k3\":1}}"), "bad_json", "'k3'"));
  CHECK(duplicate_id(good(R"({"id":"a","prompt":"p"})")).message ==
        "the id 'a' occurred before");
}

TEST_CASE("I9: numbers and surrogates that are only echoed stay as written") {
  const std::string meta =
      R"({"big":123456789012345678901234567890,"inf":1e400,"zero":-0,)"
      R"("half":"\ud83d","\udc00":[0.10,1E5]})";
  CHECK(good(R"({"prompt":"p","meta":)" + meta + "}").meta == meta);
  CHECK(says(error_of(R"({"prompt":"\ud83d"})"), "bad_value", "surrogate"));
  CHECK(says(error_of(R"({"prompt":"p","id":"\udc00"})"), "bad_value",
             "surrogate"));
  CHECK(
      says(error_of(R"({"prompt":"p","\ud83d":1})"), "bad_value", "surrogate"));
  for (const char* number : {"01", "1.", "+1", "0x1", "NaN", "tru", "nul"}) {
    CHECK(
        says(error_of(R"({"prompt":"p","meta":[)" + std::string(number) + "]}"),
             "bad_json"));
  }
}

TEST_CASE("I9: depth, two objects, arrays and scalars on a line") {
  const auto nested = [](size_t depth) {
    return R"({"prompt":"p","meta":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}";
  };
  CHECK(!any(nested(127)).error);
  CHECK(says(error_of(nested(128)), "bad_json", "128 levels"));
  CHECK(says(error_of(nested(1'000'000)), "bad_json"));
  CHECK(says(error_of(std::string(1'000'000, '[')), "bad_json", "jq"));
  CHECK(says(error_of("{\"a\":" + std::string(1'000'000, '{')), "bad_json"));
  CHECK(says(error_of(R"({"prompt":"p"}{"prompt":"q"})"), "bad_json"));
  CHECK(says(error_of(R"({"prompt":"p"} x)"), "bad_json"));
  CHECK(says(error_of(R"([{"prompt":"p"}])"), "bad_json", "jq -c '.[]'"));
  for (const char* line : {"1", "\"a\"", "null", "hello", "}", ","}) {
    CHECK(says(error_of(line), "bad_json", "--lines"));
  }
  std::string wide = R"({"prompt":"p","tags":{"a":[0)";
  for (int i = 0; i < 300'000; ++i) wide += ",0";
  CHECK(says(error_of(wide + "]}}"), "bad_json", "values"));
}

TEST_CASE("I12: hostile text comes back byte by byte") {
  RecordOptions keeping;
  keeping.keep_input = true;
  const std::string line =
      R"({"id":"../../etc; rm -rf 'x' \u202e","prompt":"<script>$(x)\u0007"})";
  const Record record = good(line, keeping);
  CHECK(record.id == "../../etc; rm -rf 'x' \xe2\x80\xae");
  CHECK(record.prompt.messages[0].text == "<script>$(x)\x07");
  CHECK(record.input == line);
  CHECK(record.input_is_json);
}

TEST_CASE("I7: the record of a line that was too long has its place") {
  const Record record = too_long_record(12);
  CHECK(record.line == 12);
  CHECK(record.id == "12");
  CHECK(record.error->code == "too_long");
}

TEST_CASE("plain lines are prompts as they are") {
  RecordOptions options;
  options.lines = true;
  options.keep_input = true;
  const Record record = good("  {not json} ", options);
  CHECK(record.id == "7");
  CHECK(record.prompt.messages[0].text == "  {not json} ");
  CHECK(!record.input_is_json);
}

TEST_CASE("a template makes prompts of any object") {
  const Record record = good(
      R"({"id":5,"text":"caf\u00e9","n":1e400,"o":{"a": [1]},"headers":"data",
          "prompt":"ignored"})",
      with_template("{{x}} {text} {n} {o}{headers}!"));
  CHECK(record.prompt.messages[0].text ==
        "{x} caf\xc3\xa9 1e400 {\"a\": [1]}data!");
  CHECK(record.id == "5");
  CHECK(good(R"({"id":{},"text":"x"})", with_template("{text}")).id == "7");
  CHECK(error_of(R"({"a":1})", with_template("{text}")) ==
        "missing_field: no field 'text'");
  CHECK(says(error_of(R"({"text":""})", with_template("{text}")), "bad_value",
             "empty"));
  CHECK(says(error_of(R"({"text":"\ud83d"})", with_template("{text}")),
             "bad_value", "surrogate"));
  RecordOptions field;
  field.prompt = Template::of_field("a b");
  CHECK(good(R"({"a b":"x"})", field).prompt.messages[0].text == "x");
}

TEST_CASE("a template names what lies within fields by dots") {
  const auto filled = [](std::string_view text) {
    return good(R"({"a":{"b":["x",{"c":1}]},"a.d":"own","meta":{"t":"m"},
                    "e":{"f.g":"dotted"},"":{"":"nameless"}})",
                with_template(text))
        .prompt.messages[0]
        .text;
  };
  CHECK(filled("{a.b.0} {a.b.1.c} {a.b.1}") == "x 1 {\"c\":1}");
  CHECK(filled("{a.d} {e.f.g} {meta.t}") == "own dotted m");
  CHECK(filled("{.}") == "nameless");
  for (const char* field : {"a.b.2", "a.b.-1", "a.b.0.c", "a.b.", "a.b.x", "a.",
                            "a.b.1x", "a.b.99999999999999999999"}) {
    CAPTURE(field);
    CHECK(error_of(R"({"a":{"b":["x",1]}})",
                   with_template(std::string("{") + field + "}")) ==
          std::string("missing_field: no field '") + field + "'");
  }
}

TEST_CASE("a template with a stray brace is refused") {
  for (const char* bad : {"{", "}", "{a", "a}", "{}", "{a{b}", "{{}", "{a}}"}) {
    CAPTURE(bad);
    const auto made = Template::parse(bad);
    REQUIRE(!made);
    CHECK(made.error().kind == llmroute::base::ErrorKind::kUsage);
  }
  CHECK(Template::parse("{a}}}{{"));
}

TEST_CASE("a record's word on routing replaces the run's") {
  llmroute::core::RoutingOptions run;
  run.models = {"run-model"};
  run.models_from_environment = true;
  run.fallback = {"run-fallback"};
  run.tags = {{"a", "1"}, {"b", "1"}};
  auto same = run;
  override_routing({}, same);
  CHECK(same.models == run.models);
  CHECK(same.models_from_environment);
  const Record record =
      good(R"({"prompt":"p","model":"m","fallback":[],"tags":{"b":"2"}})");
  auto changed = run;
  override_routing(record.overrides, changed);
  CHECK(changed.models == std::vector<std::string>{"m"});
  CHECK(!changed.models_from_environment);
  CHECK(changed.fallback.empty());
  CHECK(changed.tags.at("a") == "1");
  CHECK(changed.tags.at("b") == "2");
  auto routed = run;
  override_routing(good(R"({"prompt":"p","route":"r"})").overrides, routed);
  CHECK(routed.models.empty());
  CHECK(routed.route == "r");
}

TEST_CASE("a parser keeps nothing from one line to the next") {
  RecordParser parser({});
  const std::string big(size_t{3} << 20, 'x');
  CHECK(parser.parse("{\"prompt\":\"" + big + "\"}", 1)
            .prompt.messages[0]
            .text.size() == big.size());
  CHECK(parser.parse("{\"prompt\":", 2).error);
  const Record record = parser.parse(R"({"prompt":"a\tb"})", 3);
  REQUIRE(!record.error);
  CHECK(record.id == "3");
  CHECK(record.prompt.messages[0].text == "a\tb");
}
