#include "base/json_text.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::base {
namespace {

Json read(std::string_view text) {
  auto json = read_json(text);
  if (!json) FAIL("not read: " << std::string(text));
  return std::move(json->root);
}

TEST_CASE("what is not one JSON text is not read") {
  for (const char* text : {"",          " ",          "{",
                           "{\"a\":1",  "{\"a\":1}}", "[1]]",
                           "1,2",       "{} {}",      "{}x",
                           "{\"a\" 1}", "{\"a\":}",   "[1,]",
                           "nul",       "tru",        "12abc",
                           "01",        "1.",         ".5",
                           "+1",        "1e",         "--1",
                           "\"a",       "\"\\x\"",    "\"\\u12\"",
                           "[DONE]",    "<html>",     "{\"a\":\"b\nc\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(read_json(text).has_value());
  }
}

TEST_CASE("scalars are JSON texts too") {
  CHECK(read("\"a\"").string() == "a");
  CHECK(read(" 12 ").count() == 12);
  CHECK(read("true").is_true());
  CHECK_FALSE(read("false").is_true());
  CHECK(read("null").is_null());
  CHECK(read("-0.5e+3").number() == -500.0);
}

TEST_CASE("look-ups of what is not there end in null") {
  const Json json = read(R"({"a":{"b":[{"c":"d"}]}})");
  CHECK(json["a"]["b"].at(0)["c"].text() == "d");
  CHECK(json["a"]["b"].at(1)["c"].is_null());
  CHECK(json["x"]["y"].at(3).text().empty());
  CHECK(json["a"].at(0).is_null());
  CHECK(json["a"]["b"]["c"].is_null());
}

TEST_CASE("of a repeated field the last that is not null counts") {
  CHECK(read(R"({"a":1,"a":2,"a":null})")["a"].count() == 2);
  CHECK(read(R"({"a":null,"a":null})")["a"].is_null());
}

TEST_CASE("counts are whole, not negative and not absurd") {
  struct Case {
    const char* text;
    std::optional<int64_t> count;
  };
  for (const auto& [text, count] :
       std::vector<Case>{{"12", 12},
                         {"12.0", 12},
                         {"\"12\"", 12},
                         {"\" 12 \"", 12},
                         {"1.2e1", 12},
                         {"0", 0},
                         {"-0", 0},
                         {"12.5", std::nullopt},
                         {"-1", std::nullopt},
                         {"1e400", std::nullopt},
                         {"1180591620717411303424", std::nullopt},
                         {"9007199254740993", std::nullopt},
                         {"\"\"", std::nullopt},
                         {"\"many\"", std::nullopt},
                         {"null", std::nullopt},
                         {"true", std::nullopt},
                         {"{}", std::nullopt},
                         {"[1]", std::nullopt}}) {
    CAPTURE(text);
    CHECK(read(text).count() == count);
  }
}

TEST_CASE("a number too large to mean anything does not spoil its text") {
  const Json json =
      read(R"({"usage":{"n":1e400,"m":1180591620717411303424},"text":"ok"})");
  CHECK(json["text"].text() == "ok");
  CHECK_FALSE(json["usage"]["n"].count().has_value());
}

TEST_CASE("escapes, also those of lone surrogates") {
  CHECK(read(R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude80")").text() ==
        "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x9A\x80");
  CHECK(read(R"("a\ud83d")").text() == "a\xED\xA0\xBD");
  CHECK(read(R"("\ude80b\n")").text() ==
        "\xED\xBA\x80"
        "b\n");
  CHECK(read(R"("\ud83d\ud83d\ude80")").text() ==
        "\xED\xA0\xBD\xF0\x9F\x9A\x80");
  CHECK(read(R"("\ud83d\n\u0041\\")").text() == "\xED\xA0\xBD\nA\\");
  CHECK(read("\"\\u0000\"").text() == std::string_view("\0", 1));
  CHECK(read(R"({"\ud83d":1,"a":2})")["a"].count() == 2);
}

TEST_CASE("invalid UTF-8 is repaired and told") {
  const auto json = read_json("{\"a\":\"x\xFFy\xE2\x82\"}");
  REQUIRE(json.has_value());
  CHECK(json->repaired);
  CHECK(json->root["a"].text() == "x\xEF\xBF\xBDy\xEF\xBF\xBD");
  CHECK_FALSE(read_json("{\"a\":\"\xE2\x82\xAC\"}")->repaired);
}

TEST_CASE("nesting is bounded at 64") {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(read_json(nested(64)).has_value());
  CHECK_FALSE(read_json(nested(65)).has_value());
  CHECK_FALSE(read_json(nested(1'000'000)).has_value());
  CHECK_FALSE(read_json(std::string(1'000'000, '[')).has_value());
}

TEST_CASE("the extent of an object ends at its bracket") {
  CHECK(json_extent("{\"a\":\"}\\\"\"}{}") == 11);
  CHECK(json_extent("[{}]x") == 4);
  CHECK_FALSE(json_extent("{\"a\":\"}").has_value());
  CHECK_FALSE(json_extent("").has_value());
  CHECK(json_extent("\"a\\") == std::nullopt);
}

TEST_CASE("large texts are read like small ones") {
  const std::string large(size_t{3} << 20, 'x');
  const Json json = read("{\"a\":\"" + large + "\",\"b\":1}");
  CHECK(json["a"].text() == large);
  CHECK(json["b"].count() == 1);
}

TEST_CASE("what is written again has the same value in fewer bytes") {
  const auto again = [](std::string_view text) {
    return compact_json(read(text));
  };
  CHECK(again(R"( { "a" : [ 1.0e+2 , -0 , 12345678901234567890 ] } )") ==
        R"({"a":[1.0e+2,-0,12345678901234567890]})");
  CHECK(again(R"({"b":1,"a":null,"b":2})") == R"({"b":1,"a":null,"b":2})");
  CHECK(again("[true,false,null,{},[]]") == "[true,false,null,{},[]]");
  CHECK(again(R"("\u00e4\ud83d\ude80\n\"")") == "\"\u00e4\U0001f680\\n\\\"\"");
  CHECK(again(R"("a\ud83d")").find("\xED") == std::string::npos);
}

TEST_CASE("a field that is null is there all the same") {
  const Json json = read(R"({"a":null,"b":1,"b":null})");
  REQUIRE(json.find("a") != nullptr);
  CHECK(json.find("a")->is_null());
  CHECK(json.find("b")->is_null());
  CHECK(json.find("c") == nullptr);
  CHECK_FALSE(json.has("a"));
}

}  // namespace
}  // namespace llmroute::base
