#include "cli/program.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

// How to tell an error while the options themselves may be wrong: the last
// --error-format that can be understood.
app::Format error_format(const Args& args) {
  app::Format format = app::Format::kText;
  for (const GivenOption& given : args.options) {
    if (given.row->name != "error-format") continue;
    format = given.value == "json" ? app::Format::kJson : app::Format::kText;
  }
  return format;
}

// -h, --help and --version, whichever stands first: whatever else is wrong.
const OptionRow* asked_document(const Args& args) {
  const auto first = std::find_if(
      args.options.begin(), args.options.end(),
      [](const GivenOption& given) { return given.row->apply == nullptr; });
  return first == args.options.end() ? nullptr : first->row;
}

Outcome print_document(const Args& args, const OptionRow& asked,
                       const base::Environment& environment) {
  if (asked.name == "version") {
    Args version;
    version.command = Command::kVersion;
    return dispatch(version, {}, environment);
  }
  const std::string text = asked.name == "help"
                               ? full_help(args.command, !args.named)
                               : short_help(args.command, !args.named);
  LLMROUTE_CHECK(app::print_document(text));
  return ExitStatus::kOk;
}

Outcome perform(const Args& args, const base::Environment& environment) {
  if (const OptionRow* asked = asked_document(args)) {
    return print_document(args, *asked, environment);
  }
  if (args.error) return *args.error;
  LLMROUTE_TRY(Settings settings, resolve(args, environment));
  return dispatch(args, std::move(settings), environment);
}

// What completions ask (`__complete KIND [PREFIX]`) and what the build asks
// (`__document NAME`). Nothing is said if it cannot be answered.
Outcome answer_hidden(const std::vector<std::string>& words,
                      const base::Environment& environment) {
  if (words.size() < 2) return ExitStatus::kUsage;
  std::string text;
  if (words[0] == "__document") {
    const auto found = document(words[1]);
    if (!found) return ExitStatus::kUsage;
    text = *found;
  } else {
    const std::string prefix = words.size() > 2 ? words[2] : "";
    for (const std::string& name :
         app::complete(words[1], prefix, environment)) {
      text += name + "\n";
    }
  }
  LLMROUTE_CHECK(app::print_document(text));
  return ExitStatus::kOk;
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
  const bool hidden =
      !words.empty() && (words[0] == "__complete" || words[0] == "__document");
  if (hidden) {
    const Outcome outcome = answer_hidden(words, environment);
    return static_cast<int>(outcome ? *outcome : ExitStatus::kIo);
  }
  const Args args = parse(words);
  const Outcome outcome = close_stdout(perform(args, environment));
  if (outcome) return static_cast<int>(*outcome);
  return static_cast<int>(report(outcome.error(), error_format(args)));
}

}  // namespace llmroute::cli
