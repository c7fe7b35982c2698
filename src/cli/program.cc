#include "cli/program.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "app/complete.h"
#include "app/output.h"
#include "base/environment.h"
#include "base/files.h"
#include "cli/dispatch.h"
#include "cli/documents.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/report.h"
#include "cli/resolve.h"

namespace llmroute::cli {
namespace {

using core::ExitStatus;
using Outcome = base::Result<ExitStatus>;

// -h, --help and --version, whichever stands first: whatever else is wrong.
const OptionRow* asked_document(const Args& args) {
  const auto first = std::find_if(
      args.options.begin(), args.options.end(),
      [](const GivenOption& given) { return given.row->apply == nullptr; });
  return first == args.options.end() ? nullptr : first->row;
}

Outcome print_document(const Args& args, const OptionRow& asked) {
  if (asked.name == "version") return print_version(false);
  const std::string text = asked.name == "help"
                               ? full_help(args.command, !args.named)
                               : short_help(args.command, !args.named);
  LLMROUTE_CHECK(app::print_document(text));
  return ExitStatus::kOk;
}

Outcome perform(const Args& args, const base::Environment& environment) {
  if (const OptionRow* asked = asked_document(args)) {
    return print_document(args, *asked);
  }
  if (args.error) return *args.error;
  LLMROUTE_TRY(Settings settings, resolve(args, environment));
  return dispatch(args, std::move(settings), environment);
}

Outcome print_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  LLMROUTE_CHECK(app::print_document(text));
  return ExitStatus::kOk;
}

// What the build asks: `__document` lists the documents, `__document NAME`
// prints one.
Outcome answer_build(const std::vector<std::string>& words) {
  if (words.size() < 2) return print_lines(document_names());
  const std::optional<std::string> text = document(words[1]);
  if (!text) return ExitStatus::kUsage;
  LLMROUTE_CHECK(app::print_document(*text));
  return ExitStatus::kOk;
}

// What completions ask: `__complete KIND [PREFIX]`.
Outcome answer_completion(const std::vector<std::string>& words,
                          const base::Environment& environment) {
  if (words.size() < 2) return ExitStatus::kUsage;
  const std::string prefix = words.size() > 2 ? words[2] : "";
  return print_lines(app::complete(words[1], prefix, environment));
}

// The commands that no person types. They say nothing if they fail.
std::optional<Outcome> answer_hidden(const std::vector<std::string>& words,
                                     const base::Environment& environment) {
  if (words.empty()) return std::nullopt;
  if (words[0] == "__document") return answer_build(words);
  if (words[0] == "__complete") return answer_completion(words, environment);
  return std::nullopt;
}

// Some file systems tell of a failed write only here.
Outcome close_stdout(Outcome outcome) {
  if (::close(STDOUT_FILENO) == 0 || errno == EINTR || !outcome.has_value() ||
      *outcome != ExitStatus::kOk) {
    return outcome;
  }
  return base::Error{base::ErrorKind::kIo,
                     "writing stdout: " + base::errno_text(errno)};
}

}  // namespace

int run_program(int argc, char** argv) {
  const base::ProcessEnvironment environment;
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (const auto hidden = answer_hidden(words, environment)) {
    return static_cast<int>(*hidden ? **hidden : ExitStatus::kIo);
  }
  const Args args = parse(words);
  const Outcome outcome = close_stdout(perform(args, environment));
  if (outcome) return static_cast<int>(*outcome);
  return static_cast<int>(
      report(outcome.error(), message_options(args, environment)));
}

}  // namespace llmroute::cli
