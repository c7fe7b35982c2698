#include "config/scan.h"

#include <doctest/doctest.h>

#include <string>

#include "config/read.h"

namespace llmroute::config {
namespace {

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string problem(const std::string& text) {
  const base::Status status = scan_toml(text, "f");
  return status ? "" : status.error().message;
}

TEST_CASE("nesting is limited, and only outside strings and comments") {
  CHECK(problem("a = " + repeated("[", 64) + repeated("]", 64)) == "");
  CHECK(problem("a = " + repeated("[", 65)) ==
        "f:1:69: nested more than 64 deep");
  CHECK(problem("a = " + repeated("{b = ", 65)) != "");
  CHECK(problem("a = \"" + repeated("[", 200) + "\"") == "");
  CHECK(problem("a = '" + repeated("[", 200) + "'") == "");
  CHECK(problem("a = \"\"\"" + repeated("[\n", 200) + "\"\"\"") == "");
  CHECK(problem("a = '''" + repeated("{\n", 200) + "'''") == "");
  CHECK(problem("# " + repeated("[", 200) + "\na = 1") == "");
}

TEST_CASE("a dotted key weighs as many levels as it has parts") {
  CHECK(problem(repeated("a.", 31) + "a = 1") == "");
  CHECK(problem(repeated("a.", 32) + "a = 1") ==
        "f:1:64: a key of more than 32 parts");
  CHECK(problem("[" + repeated("a.", 1000) + "a]").find("32 parts") !=
        std::string::npos);
  CHECK(problem("x = " + repeated("{a.a.a.a = ", 17)) != "");
  CHECK(problem("x = " + repeated("{a.a.a.a = ", 15)) == "");
  CHECK(problem("x = [1.5, 2.5, 3.5" + repeated(", 0.5", 100) + "]") == "");
}

TEST_CASE("strings end where TOML ends them") {
  // Brackets after the string count, brackets inside do not.
  const std::string deep = repeated("[", 65);
  CHECK(problem("a = \"\\\"\" " + deep) != "");
  CHECK(problem("a = '\\' " + deep) != "");
  CHECK(problem("a = \"\"\"x\"\"\"\"\" " + deep) != "");
  CHECK(problem("a = [\"\"\"x\"\"\"\", " + deep) != "");
  CHECK(problem("a = '''x''''' " + deep) != "");
  CHECK(problem("a = \"\" " + deep) != "");
  CHECK(problem("a = '' " + deep) != "");
  CHECK(problem("a = \"\"\"\\\"\"\" " + deep + "\"\"\"") == "");
  CHECK(problem("a = \"unclosed\n" + deep) != "");
}

TEST_CASE("size, lines and bytes are limited") {
  CHECK(problem(std::string(kMaxFile + 1, '\n')) ==
        "f:1:1: the file is larger than 1 MiB");
  CHECK(problem(std::string(kMaxFile, '\n')) == "");
  CHECK(problem("\n#" + std::string(kMaxLine, 'x')) ==
        "f:2:1: a line of more than 64 KiB");
  CHECK(problem("#" + std::string(kMaxLine - 1, 'x')) == "");
  CHECK(problem("a = \"é\"\nb = \"\xff\"") == "f:2:6: not valid UTF-8");
  CHECK(problem(std::string("a = \"\0\"", 7)) == "f:1:6: a NUL byte");
  CHECK(problem("a = 1 # é\né = 1") ==
        "f:2:1: a character outside ASCII outside of a string");
  CHECK(problem("\xEF\xBB\xBF"
                "a = 1") == "");
}

}  // namespace
}  // namespace llmroute::config
