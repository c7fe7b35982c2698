#include "cli/documents.h"

#include <doctest/doctest.h>

#include <string>

#include "base/text.h"
#include "cli/help.h"
#include "cli/layout.h"
#include "cli/report.h"
#include "cli/roff.h"
#include "cli/tables.h"
#include "config/schema.h"

namespace llmroute::cli {
namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("rows of commands stand at their own number") {
  for (const CommandRow& row : commands()) {
    CHECK(&command_row(row.command) == &row);
    CHECK(find_command(row.name) == &row);
    CHECK_FALSE(holds(std::string(row.name), " "));
  }
  CHECK(find_command("expl") == nullptr);
}

TEST_CASE("every document is there and nothing else is") {
  for (const std::string& name : document_names()) {
    CAPTURE(name);
    REQUIRE(document(name));
    CHECK(document(name)->ends_with("\n"));
  }
  CHECK_FALSE(document("man/llmroute-nobody.1"));
  CHECK_FALSE(document(""));
  CHECK_FALSE(completion_script("tcsh"));
}

TEST_CASE("short help fits 80 columns and says where there is more") {
  for (const CommandRow& row : commands()) {
    for (const bool program : {false, true}) {
      if (program && row.command != Command::kRun) continue;
      const std::string help = short_help(row.command, program);
      CAPTURE(help);
      const auto lines = base::split(help, '\n');
      for (const std::string& line : lines) CHECK(line.size() <= kColumns);
      CHECK(lines.size() <= 25);
      CHECK(lines[lines.size() - 2].starts_with("more: llmroute help "));
    }
  }
}

TEST_CASE("help names groups in their order, examples before options") {
  const std::string help = full_help(Command::kRun, true);
  size_t at = help.find("\nExamples\n");
  CHECK(at != std::string::npos);
  for (const Group group : kGroups) {
    const size_t next = help.find("\n" + std::string(group_name(group)) + "\n");
    CAPTURE(group_name(group));
    REQUIRE(next != std::string::npos);
    CHECK(next > at);
    at = next;
  }
}

TEST_CASE("the manual names every key of the configuration") {
  const std::string page = *document("man/llmroute.toml.5");
  for (const config::KeyRow& row : config::kKeys) {
    CAPTURE(row.key);
    CHECK(holds(page, ".TP\n" + roff_bold(row.key) + "\n"));
  }
  for (const config::SectionRow& row : config::kSections) {
    if (row.header.empty()) continue;
    CHECK(holds(page, ".SS " + roff_literal(row.header) + "\n"));
  }
}

TEST_CASE("lines are broken at blanks; a long word stays whole") {
  using Lines = std::vector<std::string>;
  CHECK(wrap("a bb ccc", 4) == Lines{"a bb", "ccc"});
  CHECK(wrap("abcdef g", 3) == Lines{"abcdef", "g"});
  CHECK(wrap("", 3).empty());
  CHECK(definition("a", "x y", 2, 6) == "  a   x y\n");
  CHECK(definition("abcdef", "x", 2, 6) == "  abcdef\n      x\n");
  CHECK(definition("a", "", 2, 6) == "  a\n");
  CHECK(paragraphs("a `b`\n\nc", 1) == " a b\n\n c\n");
}

TEST_CASE("roff takes nothing in a text for a command") {
  CHECK(roff(".so /etc/passwd") == "\\&.so /etc/passwd\n");
  CHECK(roff("'x' a\\b ~ ^") == "\\(aqx\\(aq a\\eb \\(ti \\(ha\n");
  CHECK(roff("see `--a-b`, a-b") == "see \\fB\\-\\-a\\-b\\fP, a-b\n");
  CHECK(roff_block("a\n\n.b") == ".PP\n.RS 4\n.nf\na\n\\&\n\\&.b\n.fi\n.RE\n");
}

TEST_CASE("an error as JSON has a code that is one word") {
  struct Case {
    base::ErrorKind kind;
    std::string begin;
  };
  const Case cases[] = {
      {base::ErrorKind::kNoInput,
       R"({"code":"no_input","exit":66,"retryable":false,)"},
      {base::ErrorKind::kIo, R"({"code":"io","exit":74,"retryable":false,)"},
      {base::ErrorKind::kTryLater,
       R"({"code":"try_later","exit":75,"retryable":true,)"}};
  for (const Case& one : cases) {
    CHECK(error_json({one.kind, "a \"b\""}) ==
          one.begin + R"("retry_after_s":null,"provider":null,"model":null,)"
                      R"("http_status":null,"request_id":null,"attempts":0,)"
                      R"("bytes_printed":0,"message":"a \"b\""})");
    CHECK(error_json({one.kind, "m", R"("attempts":2)"}) ==
          one.begin + R"("attempts":2,"message":"m"})");
  }
}

}  // namespace llmroute::cli
