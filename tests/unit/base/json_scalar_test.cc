#include "base/json_scalar.h"

#include <doctest/doctest.h>

#include <string>

using llmroute::base::append_unescaped;
using llmroute::base::is_json_number;
using llmroute::base::Unescaped;

TEST_CASE("numbers are those of RFC 8259") {
  for (const char* good : {"0", "-0", "12", "1e400", "1E+9", "-0.5e-3", "1.0",
                           "123456789012345678901234567890"}) {
    CAPTURE(good);
    CHECK(is_json_number(good));
  }
  for (const char* bad : {"", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+",
                          "0x1", "1 ", " 1", "NaN", "Infinity", "1.2.3"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_json_number(bad));
  }
}

TEST_CASE("escapes are resolved, half a surrogate pair is told") {
  struct Case {
    const char* text;
    const char* expected;
    Unescaped outcome;
  };
  for (const Case& one : {
           Case{"", "", Unescaped::kText},
           {"plain", "plain", Unescaped::kText},
           {R"(a\nb\t\"\\\/)", "a\nb\t\"\\/", Unescaped::kText},
           {R"(caf\u00e9!)", "caf\xc3\xa9!", Unescaped::kText},
           {R"(\ud83d\ude00)", "\xf0\x9f\x98\x80", Unescaped::kText},
           {R"(\uD83D\uDE00x)", "\xf0\x9f\x98\x80x", Unescaped::kText},
           {R"(\ud83d)", "\xed\xa0\xbd", Unescaped::kLoneSurrogate},
           {R"(\ude00a)",
            "\xed\xb8\x80"
            "a",
            Unescaped::kLoneSurrogate},
           {R"(\ud83d\n)", "\xed\xa0\xbd\n", Unescaped::kLoneSurrogate},
           {R"(\ud83d\u0041)",
            "\xed\xa0\xbd"
            "A",
            Unescaped::kLoneSurrogate},
       }) {
    CAPTURE(one.text);
    std::string out;
    CHECK(append_unescaped(out, one.text) == one.outcome);
    CHECK(out == one.expected);
  }
  for (const char* bad : {"\\", "a\\", "\\x", "\\u", "\\u12", "\\u12g4",
                          "\\u+123", "\\ud83d\\"}) {
    CAPTURE(bad);
    std::string out;
    CHECK(append_unescaped(out, bad) == Unescaped::kBad);
  }
}
