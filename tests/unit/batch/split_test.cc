#include "batch/split.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "batch/record.h"
#include "scratch.h"

using llmroute::base::ErrorKind;
using llmroute::batch::custom_id_of;
using llmroute::batch::JsonLine;
using llmroute::batch::Record;
using llmroute::batch::RecordParser;
using llmroute::batch::safe_file_stem;
using llmroute::batch::SplitTarget;
using llmroute::batch::SplitWriter;
using llmroute::batch::unasked;
using llmroute::core::Model;
using llmroute::core::Provider;

namespace {

Record record_of(const std::string& line, int64_t number) {
  return RecordParser({}).parse(line, number);
}

Model model_named(const std::string& name) {
  Model model;
  model.name = name;
  model.id = name + "-id";
  return model;
}

SplitWriter writer_for(const std::string& directory, bool force = false) {
  auto writer = SplitWriter::create(directory, force);
  REQUIRE(writer);
  return *std::move(writer);
}

using Names = std::vector<std::string>;

const Provider kProvider = [] {
  Provider provider;
  provider.name = "openai";
  return provider;
}();

}  // namespace

TEST_CASE("A25: names of files are safe whatever a model is called") {
  CHECK(safe_file_stem("gpt-5.4_mini") == "gpt-5.4_mini");
  CHECK(safe_file_stem("") == "_");
  CHECK(safe_file_stem("..") == "_..");
  CHECK(safe_file_stem("../../etc/passwd") == "_.._.._etc_passwd");
  CHECK(safe_file_stem(std::string_view("a\0b\nc/d\\e", 9)) == "a_b_c_d_e");
  CHECK(safe_file_stem(std::string(300, 'x')).size() == 100);
  CHECK(safe_file_stem("caf\xc3\xa9") == "caf__");
}

TEST_CASE("A25: hostile models and ids stay in the directory") {
  const Scratch scratch;
  SplitWriter writer = writer_for(scratch.path("out"));
  int64_t line = 0;
  for (const std::string& name :
       {std::string("../up"), std::string("a/b"), std::string("a_b"),
        std::string("A_B"), std::string("manifest"), std::string("\0x", 2)}) {
    const Model model = model_named(name);
    Record record = record_of(R"({"id":"../../x","prompt":"p"})", ++line);
    record.id += std::to_string(line);
    REQUIRE(writer.add(record, {model, kProvider, "auto", "analyzer"}));
  }
  REQUIRE(writer.finish());
  CHECK(scratch.names() == Names{"out"});
  const auto under = [&scratch](const std::string& name) {
    return llmroute::base::file_exists(scratch.path("out/" + name));
  };
  for (const char* name :
       {"_.._up.jsonl", "a_b.jsonl", "a_b-2.jsonl", "A_B-3.jsonl",
        "manifest-2.jsonl", "manifest.jsonl", "_x.jsonl"}) {
    CAPTURE(name);
    CHECK(under(name));
  }
}

TEST_CASE("a custom_id is the record's id if a queue takes it") {
  const auto id_of = [](const std::string& id) {
    Record record;
    record.id = id;
    record.line = 9;
    record.own_id = !id.empty();
    return custom_id_of(record);
  };
  CHECK(id_of("row-17") == "row-17");
  CHECK(id_of(std::string(64, 'x')) == std::string(64, 'x'));
  CHECK(id_of(std::string(65, 'x')) == "line-9");
  CHECK(id_of("") == "line-9");
  CHECK(id_of("caf\xc3\xa9") == "line-9");
  CHECK(id_of("a\nb") == "line-9");
  CHECK(id_of("line-5") == "line-9");
}

TEST_CASE("each model's requests are in a file of its own") {
  const Scratch scratch;
  SplitWriter writer = writer_for(scratch.path());
  Model a = model_named("a"), b = model_named("b");
  a.token_limit_field = "max_completion_tokens";
  b.accepts_temperature = false;
  const std::string line =
      R"({"custom_id":"r","url":"/v1/chat/completions","body":{"messages":[)"
      R"({"role":"system","content":"s"},{"role":"user","content":"u\n"}],)"
      R"("max_tokens":5,"temperature":0.5,"stop":["x"],"seed":1,)"
      R"("top_p":0.10}})";
  const Record first = record_of(line, 1);
  Record second = record_of(
      R"({"id":2,"prompt":"q","max_tokens":7,"temperature":1,"meta":[1]})", 2);
  second.prompt.parameters.extra.emplace_back("k", "not json");
  const Record bad = record_of(R"({"id":"bad","prompt":3})", 3);
  REQUIRE(writer.add(first, {a, kProvider, "auto", "analyzer", R"(["one"])"}));
  REQUIRE(writer.add(second, {b, kProvider, "r", "rule", R"(["two"])"}));
  REQUIRE(writer.add_unasked(bad, unasked(bad)));
  REQUIRE(writer.finish());
  CHECK(scratch.names() == Names{"a.jsonl", "b.jsonl", "manifest.jsonl"});
  CHECK(
      scratch.read("a.jsonl") ==
      R"({"custom_id":"r","method":"POST","url":"/v1/chat/completions",)"
      R"("body":{"model":"a-id","messages":["one"],"max_completion_tokens":5,)"
      R"("temperature":0.5,"stop":["x"],"seed":1,"top_p":0.10}})"
      "\n");
  CHECK(scratch.read("b.jsonl") ==
        R"({"custom_id":"2","method":"POST","url":"/v1/chat/completions",)"
        R"("body":{"model":"b-id","messages":["two"],)"
        R"("max_tokens":7,"k":"not json"}})"
        "\n");
  CHECK(scratch.read("manifest.jsonl") ==
        R"({"line":1,"id":"r","form":"openai-chat","custom_id":"r","model":)"
        R"("a","provider":"openai","route":"auto","source":"analyzer",)"
        R"("file":"a.jsonl","max_tokens":5,"error":null})"
        "\n"
        R"({"line":2,"id":2,"form":"native","meta":[1],"custom_id":"2",)"
        R"("model":"b","provider":"openai","route":"r","source":"rule",)"
        R"("file":"b.jsonl","max_tokens":7,"error":null})"
        "\n"
        R"({"line":3,"id":"bad","form":"native","error":{"code":"bad_value",)"
        R"("message":"'prompt' is not a string"}})"
        "\n");
}

TEST_CASE("a file of requests ends at 50,000 lines and another follows") {
  const Scratch scratch;
  SplitWriter writer = writer_for(scratch.path());
  const Model model = model_named("m");
  Record record = record_of(R"({"prompt":"p"})", 1);
  for (int64_t line = 1; line <= 50'001; ++line) {
    record.line = line;
    record.id = std::to_string(line);
    REQUIRE(writer.add(record, {model, kProvider, "auto", "analyzer"}));
  }
  REQUIRE(writer.finish());
  CHECK(scratch.names() == Names{"m-2.jsonl", "m.jsonl", "manifest.jsonl"});
  CHECK(llmroute::base::split(scratch.read("m.jsonl"), '\n').size() == 50'001);
  CHECK(scratch.read("m-2.jsonl").starts_with(R"({"custom_id":"line-50001")"));
}

TEST_CASE("files that are there are kept without force") {
  const Scratch scratch;
  scratch.write("manifest.jsonl", "old");
  const auto refused = SplitWriter::create(scratch.path(), false);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kCannotCreate);
  CHECK(refused.error().message.find("--force") != std::string::npos);
  const Model model = model_named("m");
  const Record record = record_of(R"({"prompt":"p"})", 1);
  {
    SplitWriter writer = writer_for(scratch.path(), true);
    REQUIRE(writer.add(record, {model, kProvider, "auto", "analyzer"}));
    REQUIRE(writer.finish());
  }
  CHECK(scratch.read("manifest.jsonl").starts_with(R"({"line":1)"));
}

TEST_CASE("A18: a link at the place of a file is not followed") {
  const Scratch scratch;
  const std::string target = scratch.write("target", "precious");
  const std::string out = scratch.path("out");
  REQUIRE(llmroute::base::create_directories(out));
  REQUIRE(::symlink(target.c_str(), (out + "/m.jsonl").c_str()) == 0);
  for (const bool force : {false, true}) {
    const auto refused = SplitWriter::create(out, force);
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::kCannotCreate);
  }
  CHECK(scratch.read("target") == "precious");
}

TEST_CASE("a split that is not finished leaves nothing behind") {
  const Scratch scratch;
  {
    SplitWriter writer = writer_for(scratch.path());
    const Model model = model_named("m");
    REQUIRE(writer.add(record_of(R"({"prompt":"p"})", 1),
                       {model, kProvider, "auto", "analyzer"}));
    CHECK(scratch.names() ==
          Names{"m.jsonl.llmroute-new", "manifest.jsonl.llmroute-new"});
  }
  CHECK(scratch.names().empty());
}

TEST_CASE("what a killed split has left goes away, and nothing else") {
  const Scratch scratch;
  const Model model = model_named("m");
  const Record record = record_of(R"({"prompt":"p"})", 1);
  // It was killed while it renamed: all of its manifest is there.
  scratch.write("manifest.jsonl.llmroute-new",
                R"({"line":1,"id":1,"file":"old.jsonl"})"
                "\n{\"li");
  scratch.write("old.jsonl", "{}");
  scratch.write("later.jsonl.llmroute-new", "{}");
  scratch.write("mine.txt", "{}");
  SplitWriter writer = writer_for(scratch.path());
  REQUIRE(writer.add(record, {model, kProvider, "auto", "analyzer"}));
  REQUIRE(writer.finish());
  CHECK(scratch.names() == Names{"m.jsonl", "manifest.jsonl", "mine.txt"});
}

TEST_CASE("a split is refused where results of another one are") {
  const Scratch scratch;
  scratch.write("results.jsonl", "{}");
  for (const bool force : {false, true}) {
    const auto refused = SplitWriter::create(scratch.path(), force);
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::kCannotCreate);
    CHECK(refused.error().message.find("results.jsonl") != std::string::npos);
  }
  CHECK(scratch.names() == Names{"results.jsonl"});
}
