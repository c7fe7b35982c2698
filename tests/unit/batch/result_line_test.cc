#include "batch/result_line.h"

#include <doctest/doctest.h>

#include <string>

#include "base/files.h"
#include "batch/json_line.h"

using llmroute::batch::Form;
using llmroute::batch::JsonLine;
using llmroute::batch::Record;
using llmroute::batch::RecordOptions;
using llmroute::batch::RecordParser;
using llmroute::batch::Result;
using llmroute::batch::result_line;
using llmroute::batch::ResultError;
using llmroute::batch::ResultOptions;
using llmroute::batch::too_long_record;
using llmroute::batch::unasked;
using llmroute::core::Finish;

namespace {

Record record_of(std::string_view line) {
  RecordOptions options;
  options.keep_input = true;
  return RecordParser(options).parse(line, 17);
}

Record chat_record() {
  return record_of(
      R"({"custom_id":"row-17","method":"POST","url":"/v1/chat/completions",)"
      R"("body":{"messages":[{"role":"user","content":"Hi"}]}})");
}

Record responses_record() {
  return record_of(R"({"custom_id":"row-17","url":"/v1/responses","body":)"
                   R"({"input":"Hi","instructions":"Be brief."}})");
}

Result answered() {
  Result result;
  result.reply.text = "caf\xc3\xa9\n";
  result.reply.usage.input = 80;
  result.reply.usage.output = 12;
  result.reply.served_model = "vendor-x-2026";
  result.routed = "cheap-a";
  result.provider = "openai";
  result.route = "auto";
  result.source = "analyzer";
  result.cost = llmroute::core::Money{20'000'000};
  result.attempts = 1;
  result.ms = 640;
  result.created = 1'750'000'000;
  return result;
}

ResultOptions options_of(bool extras = true, bool echo = false) {
  ResultOptions options;
  options.run_id = "01ARZ";
  options.extras = extras;
  options.echo = echo;
  return options;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string checked(const Record& record, const Result& result,
                    const ResultOptions& options) {
  const std::string line = result_line(record, result, options);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(!JsonLine().parse(line, 1));
  CHECK(line == result_line(record, result, options));
  return line;
}

}  // namespace

TEST_CASE("a native result line holds what is known") {
  const Record record =
      record_of(R"({"id":"row-17","prompt":"p","meta":{"any":"thing"}})");
  CHECK(checked(record, answered(), options_of()) ==
        R"({"id":"row-17","line":17,"text":"caf)"
        "\xc3\xa9"
        R"(\n","finish_reason":"stop","model":{"routed":"cheap-a",)"
        R"("served":"vendor-x-2026","provider":"openai"},"route":)"
        R"({"name":"auto","source":"analyzer"},"usage":{"input":80,)"
        R"("output":12},"cost":{"usd":0.00002},"attempts":1,"ms":640,)"
        R"("meta":{"any":"thing"},"error":null})");
}

TEST_CASE("what is not known is null, an unknown cost above all") {
  Result result;
  result.reply.text = "";
  const std::string line =
      checked(record_of(R"({"id":12,"prompt":"p"})"), result, options_of());
  CHECK(line ==
        R"({"id":12,"line":17,"text":"","finish_reason":"stop","model":)"
        R"({"routed":null,"served":null,"provider":null},"route":)"
        R"({"name":null,"source":null},"usage":{"input":null,"output":null},)"
        R"("cost":{"usd":null},"attempts":0,"ms":null,"meta":null,)"
        R"("error":null})");
  result.cost = llmroute::core::Money{0};
  CHECK(has(result_line(record_of(R"({"prompt":"p"})"), result, options_of()),
            R"("cost":{"usd":0})"));
}

TEST_CASE("an error keeps the place of its record and has no text") {
  const Record record = record_of(R"({"id":"a","prompt":1,"meta":-0})");
  const std::string line = checked(record, unasked(record), options_of());
  CHECK(line ==
        R"({"id":"a","line":17,"text":null,"finish_reason":null,"model":)"
        R"({"routed":null,"served":null,"provider":null},"route":)"
        R"({"name":null,"source":null},"usage":{"input":null,"output":null},)"
        R"("cost":{"usd":0},"attempts":0,"ms":null,"meta":-0,"error":)"
        R"({"code":"bad_value","message":"'prompt' is not a string",)"
        R"("retryable":false,"http_status":null,"provider":null}})");
  Result failed = answered();
  failed.error = ResultError{"try_later", "overloaded", true, 503, "openai"};
  CHECK(has(checked(record_of(R"({"prompt":"p"})"), failed, options_of()),
            R"("error":{"code":"try_later","message":"overloaded",)"
            R"("retryable":true,"http_status":503,"provider":"openai"})"));
}

TEST_CASE("I9, I12: --echo gives the input back as it was written") {
  const std::string line =
      R"({ "id":"a" , "prompt":"\u0041","meta":{"n":1e400,"z":-0,)"
      R"("h":"\ud83d","big":123456789012345678901234567890} })";
  CHECK(has(checked(record_of(line), answered(), options_of(true, true)),
            "\"input\":" + line + ",\"error\""));
  RecordOptions lines;
  lines.lines = true;
  lines.keep_input = true;
  const Record plain = RecordParser(lines).parse("a \"b\"\x1b", 17);
  CHECK(has(checked(plain, answered(), options_of(true, true)),
            R"("input":"a \"b\"\u001b")"));
  const Record torn = record_of(R"({"id":"a)");
  CHECK(has(checked(torn, unasked(torn), options_of(true, true)),
            R"("input":"{\"id\":\"a")"));
  const Record too_long = too_long_record(17);
  CHECK(has(checked(too_long, unasked(too_long), options_of(true, true)),
            R"("input":null)"));
}

TEST_CASE("an OpenAI batch result line holds a chat.completion") {
  CHECK(checked(chat_record(), answered(), options_of()) ==
        R"({"id":"batch_req_01ARZ_17","custom_id":"row-17","response":)"
        R"({"status_code":200,"request_id":"req_01ARZ_17","body":)"
        R"({"id":"chatcmpl-01ARZ_17","object":"chat.completion","created":)"
        R"(1750000000,"model":"vendor-x-2026","choices":[{"index":0,)"
        R"("message":{"role":"assistant","content":"caf)"
        "\xc3\xa9"
        R"(\n","refusal":null},"logprobs":null,"finish_reason":"stop"}],)"
        R"("usage":{"prompt_tokens":80,"completion_tokens":12,)"
        R"("total_tokens":92,"prompt_tokens_details":{"cached_tokens":0},)"
        R"("completion_tokens_details":{"reasoning_tokens":0}}}},)"
        R"("error":null,"llmroute":{"line":17,"model":"cheap-a","provider":)"
        R"("openai","route":"auto","source":"analyzer","cost_usd":0.00002,)"
        R"("attempts":1,"ms":640}})");
}

TEST_CASE("--no-extras leaves what an OpenAI batch file holds") {
  const std::string line =
      checked(chat_record(), answered(), options_of(false, true));
  CHECK(!has(line, "llmroute"));
  CHECK(line.ends_with(R"("error":null})"));
  Result failed = answered();
  failed.error = ResultError{"try_later", "overloaded", true, 503, "openai"};
  CHECK(checked(chat_record(), failed, options_of(false)) ==
        R"({"id":"batch_req_01ARZ_17","custom_id":"row-17","response":null,)"
        R"("error":{"code":"try_later","message":"overloaded"}})");
}

TEST_CASE("ways to finish have the words of each API") {
  struct Case {
    Finish finish;
    const char* native;
    const char* chat;
    const char* response;
  };
  for (const Case& one :
       {Case{Finish::kStop, "stop", "stop", "completed"},
        {Finish::kLength, "length", "length", "incomplete"},
        {Finish::kFilter, "filter", "content_filter", "incomplete"},
        {Finish::kRefusal, "refusal", "stop", "completed"},
        {Finish::kToolCalls, "tool_calls", "tool_calls", "completed"},
        {Finish::kOther, "other", "stop", "completed"}}) {
    Result result = answered();
    result.reply.finish = one.finish;
    const auto reason = [](const char* name, const char* word) {
      return "\"" + std::string(name) + "\":\"" + word + "\"";
    };
    CHECK(has(checked(record_of(R"({"prompt":"p"})"), result, options_of()),
              reason("finish_reason", one.native)));
    CHECK(has(checked(chat_record(), result, options_of()),
              reason("finish_reason", one.chat)));
    CHECK(has(checked(responses_record(), result, options_of()),
              reason("status", one.response)));
  }
  Result refused = answered();
  refused.reply.finish = Finish::kRefusal;
  CHECK(has(checked(chat_record(), refused, options_of()),
            R"("content":null,"refusal":"caf)"));
}

TEST_CASE("OAI-4: calls of functions stand in each form") {
  Result result = answered();
  result.reply.finish = Finish::kToolCalls;
  result.reply.text = "";
  result.reply.tool_calls = {{"c1", "f", R"({ "x":1.0})"}, {"", "g", "{"}};
  CHECK(has(checked(record_of(R"({"prompt":"p"})"), result, options_of()),
            R"("text":"","finish_reason":"tool_calls","tool_calls":[)"
            R"({"id":"c1","name":"f","arguments":{"x":1.0}},)"
            R"({"id":null,"name":"g","arguments":"{"}],)"));
  CHECK(has(checked(chat_record(), result, options_of()),
            R"("content":null,"refusal":null,"tool_calls":[{"id":"c1","type":)"
            R"("function","function":{"name":"f","arguments":"{ \"x\":1.0}"}},)"
            R"({"id":"call_01ARZ_17_1","type":"function","function":)"
            R"({"name":"g","arguments":"{"}}]},"logprobs":null,)"
            R"("finish_reason":"tool_calls")"));
  CHECK(has(checked(responses_record(), result, options_of()),
            R"("output":[{"id":"fc_01ARZ_17_0","type":"function_call",)"
            R"("status":"completed","call_id":"c1","name":"f","arguments":)"
            R"("{ \"x\":1.0}"},{"id":"fc_01ARZ_17_1",)"));
  result.reply.text = "So:";
  CHECK(has(checked(chat_record(), result, options_of()),
            R"("content":"So:","refusal":null,"tool_calls")"));
  CHECK(has(checked(responses_record(), result, options_of()),
            R"("text":"So:","annotations":[]}]},{"id":"fc_01ARZ_17_0")"));
}

TEST_CASE("tools that are not called are an empty list of calls") {
  CHECK(has(checked(record_of(R"({"prompt":"p","tools":[{"name":"f"}]})"),
                    answered(), options_of()),
            R"("finish_reason":"stop","tool_calls":[],"model")"));
  CHECK(!has(checked(record_of(R"({"prompt":"p"})"), answered(), options_of()),
             "tool_calls"));
  CHECK(!has(checked(chat_record(), answered(), options_of()), "tool_calls"));
  const auto choice = [](const std::string& word) {
    const Record record = record_of(
        R"({"custom_id":"a","url":"/v1/responses","body":{"input":"Hi",)"
        R"("tools":[{"type":"function","name":"f"}],"tool_choice":)" +
        word + "}}");
    return checked(record, answered(), options_of());
  };
  CHECK(has(choice("\"auto\""),
            R"("parallel_tool_calls":true,"tool_choice":"auto")"));
  CHECK(has(choice("\"none\""), R"("tool_choice":"none")"));
  CHECK(has(choice("\"required\""), R"("tool_choice":"required")"));
  CHECK(has(choice(R"({"type":"function","name":"f"})"),
            R"("tool_choice":{"type":"function","name":"f"})"));
  CHECK(has(checked(responses_record(), answered(), options_of()),
            R"("parallel_tool_calls":true,"tool_choice":"auto")"));
}

TEST_CASE("a record of /v1/responses is answered by a response") {
  const std::string line =
      checked(responses_record(), answered(), options_of(false));
  CHECK(has(line, R"("object":"response","created_at":1750000000,)"));
  CHECK(has(line, R"("instructions":"Be brief.")"));
  CHECK(has(line, R"("content":[{"type":"output_text","text":"caf)"));
  CHECK(has(line, R"("input_tokens":80)"));
  CHECK(has(line, R"("total_tokens":92)"));
  Result cut = answered();
  cut.reply.finish = Finish::kLength;
  CHECK(has(checked(responses_record(), cut, options_of(false)),
            R"("incomplete_details":{"reason":"max_output_tokens"})"));
}

TEST_CASE("the form can be forced") {
  ResultOptions options = options_of();
  options.form = Form::kOpenAi;
  CHECK(checked(record_of(R"({"id":5,"prompt":"p"})"), answered(), options)
            .starts_with(
                R"({"id":"batch_req_01ARZ_17","custom_id":"5","response":)"));
  options.form = Form::kNative;
  CHECK(checked(chat_record(), answered(), options)
            .starts_with(R"({"id":"row-17","line":17,"text":)"));
}

// tests/cli/optional/openai_types.py checks these lines against the official
// client's types; a line that changed is printed.
TEST_CASE("the lines whose types are checked are the lines that are written") {
  std::string lines;
  for (const bool responses : {false, true}) {
    const Record record = responses ? responses_record() : chat_record();
    for (const Finish finish :
         {Finish::kStop, Finish::kLength, Finish::kFilter, Finish::kRefusal}) {
      Result result = answered();
      result.reply.finish = finish;
      lines += result_line(record, result, options_of()) + "\n";
    }
    Result bare;
    lines += result_line(record, bare, options_of(false)) + "\n";
    bare.error = ResultError{"try_later", "overloaded", true, 503, "openai"};
    lines += result_line(record, bare, options_of(false)) + "\n";
  }
  const auto checked_lines = llmroute::base::read_file(
      LLMROUTE_SOURCE_DIR "/tests/cli/optional/openai_lines.jsonl",
      size_t{1} << 20);
  REQUIRE(checked_lines);
  if (*checked_lines != lines) {
    FAIL_CHECK("openai_lines.jsonl should be:\n" << lines);
  }
}

TEST_CASE("S16, S17: an answer that is not whole keeps what came") {
  Result cut = answered();
  cut.reply.finish = Finish::kLength;
  cut.error = ResultError{std::string(llmroute::batch::kIncomplete),
                          "the answer was cut",
                          false,
                          0,
                          "openai",
                          true};
  const std::string native =
      checked(record_of(R"({"prompt":"p"})"), cut, options_of());
  CHECK(has(native, R"("text":"caf)"));
  CHECK(has(native, R"("finish_reason":"length")"));
  CHECK(has(native, R"("error":{"code":"incomplete",)"));
  const std::string openai = checked(chat_record(), cut, options_of());
  CHECK(has(openai, R"("finish_reason":"length")"));
  CHECK(has(openai, R"("error":null,"llmroute":{)"));
  CHECK(has(openai, R"("incomplete":"the answer was cut")"));
}

TEST_CASE("P2: a worst case is told from a cost that is known") {
  Result result = answered();
  result.cost_estimated = true;
  CHECK(has(checked(record_of(R"({"prompt":"p"})"), result, options_of()),
            R"("cost":{"usd":0.00002,"estimated":true})"));
  CHECK(has(checked(chat_record(), result, options_of()),
            R"("cost_usd":0.00002,"cost_estimated":true,)"));
}
