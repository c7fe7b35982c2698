#include "cli/dispatch.h"

#include <unistd.h>

#include "analyzer/analyzer.h"
#include "app/batch.h"
#include "app/bench.h"
#include "app/config_command.h"
#include "app/explain.h"
#include "app/feedback.h"
#include "app/models.h"
#include "app/output.h"
#include "app/replay.h"
#include "app/run.h"
#include "app/train.h"
#include "app/usage.h"
#include "base/files.h"
#include "cli/documents.h"
#include "cli/help.h"
#include "cli/resolve.h"
#include "provider/curl_transport.h"

namespace llmroute::cli {
namespace {

using core::ExitStatus;
using Outcome = base::Result<ExitStatus>;

Outcome print(std::string_view text) {
  LLMROUTE_CHECK(app::print_document(text));
  return ExitStatus::kOk;
}

// Nothing to read and a person at the terminal: show what could be typed
// instead of waiting for it.
bool wants_help(const Args& args, const Settings& settings) {
  return args.operands.empty() && !settings.input.prompt &&
         settings.input.files.empty() && !settings.input.no_stdin &&
         ::isatty(STDIN_FILENO) != 0;
}

// Records would come from stdin, which is not to be read.
base::Status check_records(const Args& args, const Settings& settings) {
  const bool named = !args.operands.empty() || !settings.input.files.empty();
  if (!settings.input.no_stdin || named) return {};
  return base::Error{base::ErrorKind::kNoInput,
                     "no file of records is given, and stdin is not to be read "
                     "(LLMROUTE_STDIN=never)"};
}

Outcome help_instead(const Args& args) {
  const std::string text = short_help(args.command, !args.named);
  (void)base::write_all(STDERR_FILENO, text);
  return ExitStatus::kUsage;
}

Outcome print_help(const Args& args) {
  if (args.operands.empty()) return print(full_help(Command::kRun, true));
  const CommandRow* row = find_command(args.operands[0]);
  if (row == nullptr) {
    const auto page = format_page(args.operands[0]);
    return page ? print(*page) : no_help(args.operands[0]);
  }
  return print(full_help(row->command, false));
}

Outcome print_completion(const Args& args) {
  const auto script = completion_script(args.operands[0]);
  if (script) return print(*script);
  return base::Error{base::ErrorKind::kUsage,
                     "'completion' takes one of bash, zsh, fish"};
}

Outcome change_config(const Args& args, Settings settings,
                      const base::Environment& environment) {
  LLMROUTE_TRY(const app::ConfigCommandOptions options,
               config_options(std::move(settings), args.operands));
  return app::config_command(options, environment);
}

Outcome give_feedback(const Args& args, Settings settings,
                      const base::Environment& environment) {
  LLMROUTE_TRY(const app::FeedbackOptions options,
               feedback_options(std::move(settings), args.operands));
  return app::feedback(options, environment);
}

Outcome take_again(const Args& args, Settings settings,
                   const base::Environment& environment) {
  LLMROUTE_TRY(const app::ReplayOptions options,
               replay_options(std::move(settings), args.operands));
  return app::replay(options, environment);
}

}  // namespace

Outcome print_version(bool with_libraries) {
  const auto analyzer = analyzer::Analyzer::embedded();
  std::string text = version_text(analyzer.id(), analyzer.sha256());
  if (with_libraries) {
    text += "http: " + provider::http_implementation() + "\n";
  }
  return print(text);
}

Outcome dispatch(const Args& args, Settings settings,
                 const base::Environment& environment) {
  switch (args.command) {
    case Command::kRun:
      if (wants_help(args, settings)) return help_instead(args);
      return app::run(run_options(std::move(settings), args.operands),
                      environment);
    case Command::kExplain:
      if (wants_help(args, settings)) return help_instead(args);
      if (settings.jsonl && !settings.input.prompt && !settings.why_not) {
        LLMROUTE_CHECK(check_records(args, settings));
      }
      return app::explain(explain_options(std::move(settings), args.operands),
                          environment);
    case Command::kBatch:
      if (wants_help(args, settings) && !settings.collect) {
        return help_instead(args);
      }
      if (!settings.collect) LLMROUTE_CHECK(check_records(args, settings));
      return app::batch(batch_options(std::move(settings), args.operands),
                        environment);
    case Command::kBench:
      return app::bench(bench_options(std::move(settings), args.operands),
                        environment);
    case Command::kTrain:
      return app::train(train_options(std::move(settings), args.operands),
                        environment);
    case Command::kModels:
      return app::models(models_options(std::move(settings), args.operands),
                         environment);
    case Command::kUsage:
      return app::usage(usage_options(std::move(settings)), environment);
    case Command::kFeedback:
      return give_feedback(args, std::move(settings), environment);
    case Command::kReplay:
      return take_again(args, std::move(settings), environment);
    case Command::kConfig:
      return change_config(args, std::move(settings), environment);
    case Command::kCompletion:
      return print_completion(args);
    case Command::kHelp:
      return print_help(args);
    case Command::kVersion:
      return print_version(true);
  }
  return ExitStatus::kSoftware;
}

}  // namespace llmroute::cli
