#include "batch/openai_record.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "batch/record.h"

using llmroute::batch::Form;
using llmroute::batch::Record;
using llmroute::batch::RecordOptions;
using llmroute::batch::RecordParser;
using llmroute::core::Parameters;
using llmroute::core::ToolChoice;

namespace {

Record any(const std::string& line) {
  return RecordParser(RecordOptions{}).parse(line, 3);
}

std::string chat_line(const std::string& fields) {
  return R"({"custom_id":"r-1","method":"POST","url":"/v1/chat/completions",)"
         R"("body":{"messages":[{"role":"user","content":"Hi"}])" +
         (fields.empty() ? "" : "," + fields) + "}}";
}

std::string responses_line(const std::string& fields) {
  return R"({"custom_id":"r-1","method":"POST","url":"/v1/responses","body":{)" +
         fields + "}}";
}

Record good(const std::string& line) {
  Record record = any(line);
  CAPTURE(line);
  if (record.error) FAIL(record.error->message);
  return record;
}

void check_fault(const std::string& line, const std::string& code,
                 const std::string& part) {
  const Record record = any(line);
  CAPTURE(line);
  REQUIRE(record.error);
  CHECK(record.error->code == code);
  CAPTURE(record.error->message);
  CHECK(record.error->message.find(part) != std::string::npos);
  CHECK(record.form == Form::kOpenAi);
}

using Extra = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("a line of an OpenAI batch file is read") {
  const Record record = good(chat_line(
      R"("model":"gpt-x","max_completion_tokens":50,"max_tokens":60,
         "temperature":1,"stop":"end","seed":4,"stream":true,
         "stream_options":{"include_usage":true},"n":1,"tools":[],
         "logprobs":false,"modalities":["text"])"));
  CHECK(record.id == "r-1");
  CHECK(record.form == Form::kOpenAi);
  CHECK(!record.responses);
  CHECK(record.overrides.model == "gpt-x");
  CHECK(record.prompt.messages[0].text == "Hi");
  CHECK(record.prompt.parameters.max_tokens == 50);
  CHECK(record.prompt.parameters.temperature == 1.0);
  CHECK(record.prompt.parameters.stop == std::vector<std::string>{"end"});
  CHECK(record.prompt.parameters.seed == 4);
  CHECK(record.prompt.parameters.extra.empty());
}

TEST_CASE("a model that is absent, empty or auto is routed") {
  for (const char* fields :
       {"", R"("model":"")", R"("model":"auto")", R"("model":null)"}) {
    CHECK(!good(chat_line(fields)).overrides.model);
  }
}

TEST_CASE("other parameters are sent on as they are written") {
  const Record record = good(chat_line(
      R"("top_p":0.10,"logit_bias":{"50256": -100},"user":"caf\u00e9",
         "store":false,"nothing":null,"big":123456789012345678901)"));
  CHECK(record.prompt.parameters.extra ==
        Extra{{"top_p", "0.10"},
              {"logit_bias", R"({"50256": -100})"},
              {"user", R"("caf\u00e9")"},
              {"store", "false"},
              {"big", "123456789012345678901"}});
}

TEST_CASE("what needs another kind of answer is refused by name") {
  struct Case {
    const char* fields;
    const char* part;
  };
  for (const Case& one : {
           Case{R"("n":2)", "'n'"},
           {R"("tools":[{"type":"web_search"}])", "'web_search'"},
           {R"("tools":[{"type":"function","function":{"name":"f"}}],
               "tool_choice":{"type":"allowed_tools"})",
            "'tool_choice' of type 'allowed_tools'"},
           {R"("response_format":{"type":"grammar"})", "'grammar'"},
           {R"("functions":[{}])", "'functions'"},
           {R"("logprobs":true)", "'logprobs'"},
           {R"("top_logprobs":3)", "'top_logprobs'"},
           {R"("audio":{"voice":"x"})", "'audio'"},
           {R"("modalities":["text","audio"])", "audio"},
           {R"("unknown_list":[1])", "'unknown_list'"},
       }) {
    check_fault(chat_line(one.fields), "unsupported", one.part);
  }
  check_fault(
      R"({"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":
          {"messages":[{"role":"user","content":[{"type":"image_url",
          "image_url":{"url":"https://x"}}]}]}})",
      "unsupported", "image_url");
  std::string deep = "1";
  for (int i = 0; i < 60; ++i) deep = "{\"a\":" + deep + "}";
  check_fault(chat_line("\"deep\":" + deep), "unsupported", "'deep'");
}

TEST_CASE("functions, the choice among them and the answer's form are read") {
  const char* const chat =
      R"("tools":[{"type":"function","function":{"name":"f","parameters":
         {"type":"object"},"strict":null}},
         {"type":"function","function":{"name":"g"}}],
         "tool_choice":{"type":"function","function":{"name":"g"}},
         "parallel_tool_calls":false,
         "response_format":{"type":"json_schema","json_schema":{"name":"n",
           "strict":true,"schema":{"type": "object"}}})";
  const char* const responses =
      R"("input":"x","tools":[{"type":"function","name":"f","parameters":
         {"type":"object"}},{"type":"function","name":"g"}],
         "tool_choice":{"type":"function","name":"g"},
         "parallel_tool_calls":false,
         "text":{"format":{"type":"json_schema","name":"n",
           "schema":{"type": "object"}}})";
  for (const std::string& line : {chat_line(chat), responses_line(responses)}) {
    CAPTURE(line);
    const Parameters asked = good(line).prompt.parameters;
    REQUIRE(asked.tools.size() == 2);
    CHECK(asked.tools[0].name == "f");
    CHECK(asked.tools[0].parameters == R"({"type":"object"})");
    CHECK(asked.tool_choice.kind == ToolChoice::Kind::kNamed);
    CHECK(asked.tool_choice.name == "g");
    CHECK_FALSE(asked.tool_choice.parallel);
    CHECK(asked.schema == R"({"type":"object"})");
    CHECK(asked.extra.empty());
  }
  CHECK(good(chat_line(R"("response_format":{"type":"text"})"))
            .prompt.parameters.schema.empty());
  CHECK(good(chat_line(R"("response_format":{"type":"json_object"})"))
            .prompt.parameters.schema == R"({"type":"object"})");
  CHECK(good(chat_line(R"("tool_choice":"none")"))
            .prompt.parameters.tools.empty());
}

TEST_CASE("a choice that nobody can make is refused") {
  struct Case {
    const char *fields, *part;
  };
  for (const Case& one :
       {Case{R"("tool_choice":"required")", "there are no 'tools'"},
        {R"("tool_choice":{"type":"function","function":{"name":"f"}})",
         "names 'f', which is none of the 'tools'"},
        {R"("tool_choice":{"type":"function"})", "names ''"},
        {R"("tool_choice":"any")", "not auto, none, required"},
        {R"("tool_choice":true)", "not auto, none, required"},
        {R"("parallel_tool_calls":1)", "'parallel_tool_calls'"},
        {R"("tools":{})", "'tools': expected an array"},
        {R"("tools":[{"type":"function"}])", "'tools': at /0"},
        {R"("tools":[{"type":"function","function":{"name":"f","x":1}}])",
         "'tools': at /0/function/x"},
        {R"("response_format":{"type":"json_schema","json_schema":{"schema":
            {"unheard":1}}})",
         "'schema': at #"}}) {
    check_fault(chat_line(one.fields), "bad_value", one.part);
  }
  check_fault(chat_line(R"("response_format":{"type":"json_schema"})"),
              "missing_field", "'response_format' without its schema");
}

TEST_CASE("url, method, custom_id and body are those of a batch file") {
  const std::string body =
      R"("body":{"messages":[{"role":"user","content":"x"}]}})";
  check_fault(
      R"({"custom_id":"a","method":"POST","url":"/v1/embeddings",)" + body,
      "bad_url", "/v1/embeddings");
  check_fault(R"({"custom_id":"a","method":"POST",)" + body, "missing_field",
              "'url'");
  check_fault(
      R"({"custom_id":"a","method":"GET","url":"/v1/chat/completions",)" + body,
      "bad_value", "GET");
  check_fault(R"({"method":"POST","url":"/v1/chat/completions",)" + body,
              "missing_field", "custom_id");
  check_fault(
      R"({"custom_id":"a","method":"POST","url":"/v1/chat/completions"})",
      "missing_field", "body");
  check_fault(
      R"({"custom_id":"a","url":"/v1/chat/completions","body":{"model":"x"}})",
      "missing_field", "messages");
  check_fault(
      R"({"custom_id":"a","extra":1,"url":"/v1/chat/completions",)" + body,
      "unknown_field", "'extra'");
  CHECK(
      good(R"({"custom_id":"a","meta":{"k":1},"url":"/v1/chat/completions",)" +
           body)
          .meta == R"({"k":1})");
}

TEST_CASE("a record for /v1/responses is read") {
  const Record text = good(responses_line(
      R"("input":"Hi","instructions":"Be brief.","max_output_tokens":20,
         "temperature":0,"store":false,"reasoning":{"effort":"low"},
         "text":{"format":{"type":"text"},"verbosity":"low"},"top_p":1,
         "truncation":"disabled")"));
  CHECK(text.responses);
  CHECK(text.prompt.system == "Be brief.");
  CHECK(text.prompt.messages[0].text == "Hi");
  CHECK(text.prompt.parameters.max_tokens == 20);
  CHECK(text.prompt.parameters.extra == Extra{{"reasoning_effort", "\"low\""},
                                              {"verbosity", "\"low\""},
                                              {"top_p", "1"}});
  const Record items = good(responses_line(
      R"("input":[{"role":"user","content":"a"},
          {"type":"message","id":"m","status":"completed","role":"assistant",
           "content":[{"type":"output_text","text":"b","annotations":[]}]},
          {"role":"user","content":[{"type":"input_text","text":"c"}]}])"));
  REQUIRE(items.prompt.messages.size() == 3);
  CHECK(items.prompt.messages[1].text == "b");
  CHECK(items.prompt.messages[2].text == "c");
}

TEST_CASE("parts of /v1/responses that are not supported are named") {
  for (const char* name : {"max_tool_calls", "previous_response_id",
                           "conversation", "include", "prompt"}) {
    check_fault(
        responses_line(R"("input":"x",")" + std::string(name) + R"(":["x"])"),
        "unsupported", name);
  }
  check_fault(responses_line(R"("input":"x","background":true)"), "unsupported",
              "background");
  check_fault(responses_line(R"("input":"x","text":{"format":{"type":
                             "json_schema"}})"),
              "missing_field", "'format' without its schema");
  check_fault(responses_line(R"("input":[{"type":"item_reference"}])"),
              "unsupported", "item_reference");
  check_fault(responses_line(R"("input":"x","truncation":"auto")"),
              "unsupported", "truncation");
  check_fault(responses_line(R"("instructions":"x")"), "missing_field",
              "input");
  check_fault(responses_line(R"("input":"")"), "bad_value", "empty");
}
