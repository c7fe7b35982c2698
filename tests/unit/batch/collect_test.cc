#include "batch/collect.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "batch/batch_output.h"
#include "batch/record.h"
#include "batch/split.h"
#include "scratch.h"

using llmroute::base::ErrorKind;
using llmroute::base::Status;
using llmroute::batch::BatchOutput;
using llmroute::batch::collect;
using llmroute::batch::CollectCounts;
using llmroute::batch::CollectOptions;
using llmroute::batch::JsonLine;
using llmroute::batch::read_batch_output;
using llmroute::batch::Record;
using llmroute::batch::RecordParser;
using llmroute::batch::SplitWriter;
using llmroute::batch::unasked;
using llmroute::core::Finish;
using llmroute::core::Model;
using llmroute::core::Provider;

namespace {

using Lines = std::vector<std::string>;

struct Collected {
  Lines lines;
  CollectCounts counts;
};

Collected collected(const std::string& directory,
                    const CollectOptions& options = {}) {
  Collected result;
  const auto counts =
      collect(directory, options, [&result](std::string_view line, bool) {
        result.lines.emplace_back(line);
        return Status();
      });
  if (!counts) FAIL(counts.error().message);
  result.counts = *counts;
  return result;
}

// Splits `inputs` between two models in turn.
void split_into(const std::string& directory, const Lines& inputs) {
  auto writer = SplitWriter::create(directory, false);
  REQUIRE(writer);
  Provider provider;
  provider.name = "openai";
  Model models[2];
  models[0].name = models[0].id = "a";
  models[1].name = models[1].id = "b";
  RecordParser parser({});
  int64_t number = 0;
  for (const std::string& input : inputs) {
    const Record record = parser.parse(input, ++number);
    if (record.error) {
      REQUIRE(writer->add_unasked(record, unasked(record)));
    } else {
      REQUIRE(writer->add(record,
                          {models[number % 2], provider, "auto", "analyzer"}));
    }
  }
  REQUIRE(writer->finish());
}

std::string success(const std::string& custom_id, const std::string& text) {
  return R"({"id":"batch_req_1","custom_id":")" + custom_id +
         R"(","response":{"status_code":200,"request_id":"req_1","body":)"
         R"({"id":"chatcmpl-1","object":"chat.completion","created":1750000000,)"
         R"("model":"served","choices":[{"index":0,"message":{"role":)"
         R"("assistant","content":")" +
         text +
         R"(","refusal":null},"finish_reason":"length"}],"usage":)"
         R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}},)"
         R"("error":null})";
}

std::string expired(const std::string& custom_id) {
  return R"({"id":"batch_req_3","custom_id":")" + custom_id +
         R"(","response":null,"error":{"code":"batch_expired","message":)"
         R"("not in time"}})";
}

BatchOutput output_of(const std::string& line) {
  JsonLine json;
  BatchOutput output;
  const auto fault = read_batch_output(line, json, output);
  CAPTURE(line);
  if (fault) FAIL(fault->message);
  return output;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("results of a queue are read: success, bad status, error") {
  const BatchOutput good = output_of(success("r-1", "caf\\u00e9"));
  CHECK(good.custom_id == "r-1");
  REQUIRE(!good.result.error);
  CHECK(good.result.reply.text == "caf\xc3\xa9");
  CHECK(good.result.reply.finish == Finish::kLength);
  CHECK(good.result.reply.usage.input == 3);
  CHECK(good.result.reply.usage.output == 2);
  CHECK(good.result.reply.served_model == "served");
  CHECK(good.result.reply.request_id == "req_1");
  CHECK(good.result.created == 1'750'000'000);
  const BatchOutput status = output_of(
      R"({"custom_id":"r","response":{"status_code":429,"request_id":"x",)"
      R"("body":{"error":{"message":"slow","type":"rate","code":null}}},)"
      R"("error":null})");
  REQUIRE(status.result.error);
  CHECK(status.result.error->code == "rate");
  CHECK(status.result.error->message == "slow");
  CHECK(status.result.error->http_status == 429);
  CHECK(status.result.error->retryable);
  const BatchOutput late = output_of(expired("r"));
  REQUIRE(late.result.error);
  CHECK(late.result.error->code == "batch_expired");
  CHECK(late.result.error->retryable);
  const BatchOutput refused = output_of(
      R"({"custom_id":"r","response":{"status_code":200,"body":{"choices":[)"
      R"({"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}}})");
  CHECK(refused.result.reply.text == "no");
  CHECK(refused.result.reply.finish == Finish::kRefusal);
  CHECK(!refused.result.reply.usage.complete());
}

TEST_CASE("a result without an answer is a failure, never an empty answer") {
  for (const char* body : {"{}", R"({"choices":[]})", R"({"choices":[{}]})",
                           R"({"choices":{}})", "[]", "null", "\"x\""}) {
    const BatchOutput output =
        output_of(R"({"custom_id":"r","response":{"status_code":200,"body":)" +
                  std::string(body) + "}}");
    CAPTURE(body);
    REQUIRE(output.result.error);
    CHECK(output.result.error->code == "protocol");
  }
}

TEST_CASE("what queues answered is merged back in input order") {
  const Scratch scratch;
  const std::string directory = scratch.path("d");
  split_into(directory,
             {R"({"id":"one","prompt":"1","meta":{"n":-0}})",
              R"({"id":2,"prompt":"2"})", R"({"id":"bad","prompt":3})",
              R"({"custom_id":"four","url":"/v1/chat/completions","body":)"
              R"({"messages":[{"role":"user","content":"4"}]}})",
              R"({"prompt":"5"})"});
  scratch.write("d/out-a.jsonl", success("four", "four!") + "\n\n" +
                                     success("2", "two!") + "\n" +
                                     success("stray", "?"));
  scratch.write("d/out-b.jsonl", success("one", "one!") + "\r\n");
  scratch.write("d/notes.txt", "not read");
  CollectOptions options;
  options.result.run_id = "R";
  options.cost = [](const std::string& model,
                    const llmroute::core::Usage& usage)
      -> std::optional<llmroute::core::Money> {
    if (model != "b") return std::nullopt;
    return llmroute::core::Money{*usage.output * 1'000'000};
  };
  const Collected all = collected(directory, options);
  REQUIRE(all.lines.size() == 5);
  CHECK(all.lines[0] ==
        R"({"id":"one","line":1,"text":"one!","finish_reason":"length",)"
        R"("model":{"routed":"b","served":"served","provider":"openai"},)"
        R"("route":{"name":"auto","source":"analyzer"},"usage":{"input":3,)"
        R"("output":2},"cost":{"usd":0.000002},"attempts":1,"ms":null,)"
        R"("meta":{"n":-0},"error":null})");
  CHECK(all.lines[1].starts_with(R"({"id":2,"line":2,"text":"two!")"));
  CHECK(has(all.lines[1], R"("cost":{"usd":null})"));
  CHECK(has(all.lines[2], R"("code":"bad_value")"));
  CHECK(all.lines[3].starts_with(
      R"({"id":"batch_req_R_4","custom_id":"four","response":)"));
  CHECK(has(all.lines[3], R"("content":"four!")"));
  CHECK(has(all.lines[4], R"("text":null)"));
  CHECK(has(all.lines[4], R"("code":"missing_result")"));
  CHECK(all.counts.ok == 3);
  CHECK(all.counts.failed == 2);
  CHECK(all.counts.missing == 1);
  CHECK(all.counts.stray == 1);
}

TEST_CASE("OAI-4: calls that a queue's answer holds are kept") {
  const std::string line =
      R"({"custom_id":"r","response":{"status_code":200,"body":{"choices":[)"
      R"({"message":{"content":null,"tool_calls":[{"id":"c1","type":"function",)"
      R"("function":{"name":"f","arguments":"{\"x\":1}"}},{"type":"custom"}]},)"
      R"("finish_reason":"tool_calls"}]}}})";
  const auto& reply = output_of(line).result.reply;
  CHECK(reply.finish == Finish::kToolCalls);
  CHECK(reply.text == "");
  REQUIRE(reply.tool_calls.size() == 1);
  CHECK(reply.tool_calls[0].id == "c1");
  CHECK(reply.tool_calls[0].name == "f");
  CHECK(reply.tool_calls[0].arguments == R"({"x":1})");
  const Scratch scratch;
  split_into(scratch.path("d"),
             {R"({"id":"r","prompt":"1","tools":[{"name":"f"}]})",
              R"({"id":"s","prompt":"1","tools":[{"name":"f"}]})"});
  scratch.write("d/results.jsonl", line + "\n" + success("s", "no") + "\n");
  const Collected result = collected(scratch.path("d"));
  REQUIRE(result.lines.size() == 2);
  CHECK(has(result.lines[0],
            R"("tool_calls":[{"id":"c1","name":"f","arguments":{"x":1}}])"));
  CHECK(has(result.lines[1], R"("tool_calls":[])"));
}

TEST_CASE("OAI-5: what was collected is checked by its record's schema") {
  const Scratch scratch;
  split_into(scratch.path("d"),
             {R"({"id":"r","prompt":"1","schema":{"type": "object"}})",
              R"({"id":"s","prompt":"1"})"});
  scratch.write("d/results.jsonl",
                success("r", "no") + "\n" + success("s", "no") + "\n");
  Lines schemas;
  CollectOptions options;
  options.check = [&schemas](const llmroute::core::Parameters& asked,
                             const auto& reply) -> Status {
    schemas.push_back(asked.schema + reply.text);
    if (asked.schema.empty()) return {};
    return llmroute::base::Error{ErrorKind::kData, "does not fit"};
  };
  const Collected result = collected(scratch.path("d"), options);
  CHECK(schemas == Lines{R"({"type":"object"}no)", "no"});
  CHECK(result.counts.failed == 1);
  CHECK(has(result.lines[0], R"("text":"no")"));
  CHECK(has(result.lines[0],
            R"("error":{"code":"data","message":"does not fit")"));
}

TEST_CASE("a success counts before a failure, wherever each stands") {
  const Scratch scratch;
  split_into(scratch.path("d"),
             {R"({"id":"x","prompt":"1"})", R"({"id":"y","prompt":"1"})"});
  scratch.write("d/1.jsonl", success("x", "good") + "\n" + expired("y"));
  scratch.write("d/2.jsonl", expired("x") + "\n" + success("y", "late"));
  const Collected all = collected(scratch.path("d"));
  CHECK(has(all.lines[0], R"("text":"good")"));
  CHECK(has(all.lines[1], R"("text":"late")"));
}

TEST_CASE("what is no result file or no manifest is told with its place") {
  const Scratch scratch;
  const auto error_of = [](const std::string& directory) {
    const auto refused =
        collect(directory, {}, [](std::string_view, bool) { return Status(); });
    REQUIRE(!refused);
    return refused.error();
  };
  CHECK(error_of(scratch.path()).kind == ErrorKind::kNoInput);
  split_into(scratch.path("d"), {R"({"id":"x","prompt":"1"})"});
  scratch.write("d/x.jsonl", success("x", "1") + "\n" + R"({"a":1})");
  const auto error = error_of(scratch.path("d"));
  CHECK(error.kind == ErrorKind::kData);
  CHECK(has(error.message, "d/x.jsonl:2: "));
  scratch.write("d/x.jsonl", "");
  scratch.write("d/manifest.jsonl", R"({"id":"x"})");
  CHECK(has(error_of(scratch.path("d")).message, "manifest.jsonl:1: "));
}

TEST_CASE("an error of the sink ends the collecting") {
  const Scratch scratch;
  split_into(scratch.path("d"), {R"({"prompt":"1"})", R"({"prompt":"2"})"});
  int calls = 0;
  const auto stopped = collect(
      scratch.path("d"), {}, [&calls](std::string_view, bool) -> Status {
        ++calls;
        return llmroute::base::Error{ErrorKind::kIo, "full"};
      });
  REQUIRE(!stopped);
  CHECK(stopped.error().kind == ErrorKind::kIo);
  CHECK(calls == 1);
}

TEST_CASE("collecting does not depend on order or on files: 10,000 cases") {
  const Scratch scratch;
  const std::string directory = scratch.path("d");
  Lines inputs, results, expected;
  for (int i = 1; i <= 5; ++i) {
    const std::string id = "id" + std::to_string(i);
    inputs.push_back(R"({"id":")" + id + R"(","prompt":"p"})");
    if (i == 4) continue;
    results.push_back(i == 2 ? expired(id) : success(id, "answer of " + id));
  }
  split_into(directory, inputs);
  scratch.write("d/r0.jsonl", llmroute::base::join(results, "\n"));
  scratch.write("d/r1.jsonl", "");
  expected = collected(directory).lines;
  REQUIRE(expected.size() == 5);
  for (uint32_t seed = 0; seed < 10'000; ++seed) {
    std::mt19937 random(seed);
    std::shuffle(results.begin(), results.end(), random);
    std::string files[2];
    for (const std::string& line : results) {
      std::string& file = files[random() % 2];
      file += line + (random() % 2 == 0 ? "\n" : "\r\n\n");
    }
    for (int i = 0; i < 2; ++i) {
      const std::string name =
          scratch.path("d/r" + std::to_string(i)) + ".jsonl";
      const llmroute::base::Descriptor out(
          ::open(name.c_str(), O_WRONLY | O_TRUNC));
      REQUIRE(llmroute::base::write_all(out.get(), files[i]) == 0);
    }
    const Lines lines = collected(directory).lines;
    if (lines != expected) {
      CAPTURE(seed);
      CHECK(lines == expected);
      break;
    }
  }
}
