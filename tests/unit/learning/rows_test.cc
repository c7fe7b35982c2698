#include "learning/rows.h"

#include <doctest/doctest.h>

#include <string>

#include "learning/abilities.h"
#include "temporary_file.h"

using llmroute::base::ErrorKind;
using llmroute::core::domain_index;
using llmroute::learning::domain_of;
using llmroute::learning::Level;
using llmroute::learning::normalised_model_name;
using llmroute::learning::prompt_hash;
using llmroute::learning::read_abilities;
using llmroute::learning::Row;
using llmroute::learning::RowParser;

namespace {

Row parse(std::string_view line) {
  RowParser parser;
  auto row = parser.parse(line, "file");
  CAPTURE(line);
  REQUIRE(row);
  return *std::move(row);
}

std::string error_of(std::string_view line) {
  RowParser parser;
  const auto row = parser.parse(line, "file");
  CAPTURE(line);
  REQUIRE(!row);
  CHECK(row.error().kind == ErrorKind::kData);
  return row.error().message;
}

}  // namespace

TEST_CASE("a row of outcomes is read") {
  const Row row = parse(
      R"({"id":"x","prompt":"caf\u00e9?","dataset":"mmlu/law","domain":"science",
          "scores":{"a":1,"b":0.25},"out_chars":{"a":360,"b":720},
          "language":"en","suspect":true})");
  CHECK(row.prompt == "caf\xc3\xa9?");
  CHECK(row.source == "file:mmlu");
  CHECK(row.group == "mmlu/law");
  CHECK(row.domain == domain_index("knowledge"));
  CHECK(row.raw_domain == "science");
  REQUIRE(row.scores.size() == 2);
  CHECK(row.scores[1].first == "b");
  CHECK(row.scores[1].second == 0.25);
  CHECK(*row.answer_tokens == doctest::Approx(150));
  CHECK(row.suspect);
  CHECK(!row.weak);
  CHECK(!row.preference);
}

TEST_CASE("a row of labels is read") {
  const Row row = parse(
      R"({"prompt":"hi","source":"s","domain":"chat","difficulty":"simple"})");
  CHECK(row.source == "file:s");
  CHECK(row.level == Level::kSimple);
  CHECK(!row.difficulty);
  CHECK(row.scores.empty());
  CHECK(!row.answer_tokens);
  CHECK(parse(R"({"prompt":"x"})").source == "file:file");
  CHECK(*parse(R"({"prompt":"x","difficulty":1.5})").difficulty == 1.5);
  CHECK(*parse(R"({"prompt":"x","answer_tokens":12})").answer_tokens == 12);
  CHECK(*parse(R"({"prompt":"x","answer_ratio":0.5})").answer_ratio == 0.5);
  CHECK(parse(R"({"prompt":"x","compose":3})").compose == 3);
  CHECK(parse(R"({"prompt":"x","context":"c"})").context == "c");
  CHECK(parse(R"({"prompt":"x","h2h":{}})").preference);
  CHECK(parse(R"({"prompt":"x","weak":true})").weak);
  CHECK(parse(R"({"prompt":"x"})").difficulty_weight == 1);
  CHECK(parse(R"({"prompt":"x","difficulty_weight":16})").difficulty_weight ==
        16);
  CHECK(parse(R"({"prompt":"x","difficulty_weight":-1})").difficulty_weight ==
        1);
}

TEST_CASE("token counts are preferred to characters") {
  const Row row = parse(
      R"({"prompt":"x","tokens":{"a":[5,100],"b":[5,300]},"out_chars":{"a":1}})");
  CHECK(*row.answer_tokens == doctest::Approx(200));
}

TEST_CASE("rows that make no sense are refused with a reason") {
  struct Case {
    const char* line;
    const char* message;
  };
  const Case cases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{", "not a JSON object"},
      {R"({"prompt":"x"} {})", "not a JSON object"},
      {R"({"a":"b"})", "no string \"prompt\""},
      {R"({"prompt":7})", "no string \"prompt\""},
      {R"({"prompt":"x","scores":{"m":1.5}})", "score of 'm'"},
      {R"({"prompt":"x","scores":{"m":-0.1}})", "score of 'm'"},
      {R"({"prompt":"x","scores":{"m":"good"}})", "score of 'm'"},
      {R"({"prompt":"x","scores":{"m":null}})", "score of 'm'"},
      {R"({"prompt":"x","difficulty":"tricky"})", "difficulty 'tricky'"},
      {R"({"prompt":"x","scores":[1,0]})", "\"scores\" is not an object"},
      {R"({"prompt":"x","scores":{"m":[1]}})", "score of 'm'"},
      {R"({"prompt":"x","scores":{"m":1,"n":1,"m":0}})",
       "score of 'm' is given twice"},
      {R"({"prompt":"x","scores":{"m":1},"cost":"0.1"})",
       "\"cost\" is not an object of model names and dollars"},
      {R"({"prompt":"x","scores":{"m":1},"cost":{"m":"0.1"}})", "cost of 'm'"},
      {R"({"prompt":"x","scores":{"m":1},"cost":{"m":1,"m":1}})",
       "cost of 'm' is given twice"},
      {R"({"prompt":"x","m":[1],"m|total_cost":0})", "score of 'm'"},
      {R"({"prompt":"x","m":1,"m|total_cost":[0]})", "cost of 'm'"},
      {R"({"prompt":"x","m":1,"m":0,"m|total_cost":0})",
       "\"m\" is given twice"},
      {R"({"prompt":"x","group":3})", "\"group\" is not a string"},
      {R"({"prompt":"x","domain":["math"]})", "\"domain\" is not a string"},
      {R"({"prompt":"x","suspect":"yes"})", "\"suspect\" is not true or false"},
      {R"({"prompt":"x","difficulty":[]})", "\"difficulty\" is not a number"},
      {R"({"prompt":"x","compose":-1})", "\"compose\" is not from 0 to 1000"},
  };
  for (const Case& c : cases) {
    const std::string message = error_of(c.line);
    CAPTURE(message);
    CHECK(message.find(c.message) != std::string::npos);
  }
}

TEST_CASE("an unknown key with a bar in it makes no wide row") {
  const Row row =
      parse(R"({"prompt":"x","note|x":"hello","tokens":{"m":[1,2]}})");
  CHECK(row.scores.empty());
  CHECK(*row.answer_tokens == 2);
  CHECK(parse(R"({"prompt":"x","m":1,"m|total_cost":1})").scores.size() == 1);
  CHECK(parse(R"({"prompt":"x","m":1,"m|model_response":"y"})").scores.size() ==
        1);
}

TEST_CASE("a wording is that of prompt and context, whatever case and blanks") {
  const uint64_t plain = parse(R"({"prompt":"One two three"})").wording();
  CHECK(plain == prompt_hash("one two three"));
  for (const char* line : {R"({"prompt":" one  TWO three\n"})",
                           R"({"prompt":"one two three","context":" \n"})"}) {
    CAPTURE(line);
    CHECK(parse(line).wording() == plain);
  }
  const auto with = parse(R"({"prompt":"One two three","context":"A  b"})");
  CHECK(with.wording() == prompt_hash("one two three\na b"));
}

TEST_CASE("the key of paraphrases is read as a wording is") {
  const auto key_of = [](const char* line) {
    return parse(line).keys().paraphrase;
  };
  const uint64_t key = key_of(R"({"prompt":"x","paraphrase":"What is it?"})");
  CHECK(key == prompt_hash("what is it?"));
  CHECK(key == key_of(R"({"prompt":"y","paraphrase":" what  IS it?\n"})"));
  CHECK(key == parse(R"({"prompt":"What is it?"})").keys().wording);
  CHECK(key_of(R"({"prompt":"x","paraphrase":" "})") == 0);
  CHECK(key_of(R"({"prompt":"x"})") == 0);
}

TEST_CASE("levels of outcome data in other words are ignored") {
  const Row row =
      parse(R"({"prompt":"x","scores":{"m":1},"difficulty":"level 5"})");
  CHECK(!row.level);
}

TEST_CASE("data sets' domains become the analyzer's") {
  CHECK(domain_of("code") == domain_index("code"));
  CHECK(domain_of("translation") == domain_index("text"));
  CHECK(domain_of("roleplay") == domain_index("writing"));
  CHECK(domain_of("instruction") == domain_index("chat"));
  CHECK(domain_of("tool_use") == domain_index("tools"));
  CHECK(!domain_of("safety"));
  CHECK(!domain_of("mixed"));
  CHECK(!domain_of(""));
}

TEST_CASE("models are the same under the names that sources print") {
  CHECK(normalised_model_name("gpt-4o-2024-08-06") == "gpt4o20240806");
  CHECK(normalised_model_name("Meta-Llama-3.1-8B-Instruct") ==
        normalised_model_name("meta-llama/llama-3.1-8b-instruct"));
  CHECK(normalised_model_name("") == "");
}

TEST_CASE("abilities are read by id, key and alias") {
  std::string abilities;
  for (const auto name : llmroute::core::kDomainNames) {
    abilities += std::string(abilities.empty() ? "" : ",") + "\"" +
                 std::string(name) + "\":{\"ability\":-0.5}";
  }
  const TemporaryFile file(
      R"({"models":[{"id":"v/one","key":"uno","aliases":["One 1"],"abilities":{)" +
      abilities + R"(}},{"id":"two","abilities":{"code":{"ability":1}}}]})");
  const auto read = read_abilities(file.path());
  REQUIRE(read);
  CHECK(read->size() == 3);
  CHECK(read->at("one")[3] == -0.5);
  CHECK(read->count("uno") == 1);
  CHECK(read->count("one1") == 1);

  const TemporaryFile other("{\"a\":1}");
  const auto refused = read_abilities(other.path());
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kData);
}
