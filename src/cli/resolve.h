// Args and environment -> Settings. Variables act first, options in the order
// typed after them, so that a later one wins and an option beats a variable.
#pragma once

#include "base/environment.h"
#include "base/result.h"
#include "cli/parse.h"
#include "cli/settings.h"

namespace llmroute::cli {

// A bad value: kUsage, naming the option or variable, the value and what was
// expected. Variables that mean nothing to the command are not looked at.
base::Result<Settings> resolve(const Args& args,
                               const base::Environment& environment);

// How to talk on stderr, as far as the options can be understood: for telling
// what is wrong with them.
app::MessageOptions message_options(const Args& args,
                                    const base::Environment& environment);

app::RunOptions run_options(Settings settings,
                            std::vector<std::string> operands);
app::ExplainOptions explain_options(Settings settings,
                                    std::vector<std::string> operands);
app::BatchOptions batch_options(Settings settings,
                                std::vector<std::string> operands);
app::BenchOptions bench_options(Settings settings,
                                std::vector<std::string> operands);
app::TrainOptions train_options(Settings settings,
                                std::vector<std::string> operands);
app::ModelsOptions models_options(Settings settings,
                                  std::vector<std::string> operands);
app::UsageOptions usage_options(Settings settings);
// A verdict that is none: kUsage.
base::Result<app::FeedbackOptions> feedback_options(
    Settings settings, const std::vector<std::string>& operands);
// No ID and no --with, or an ID and --since: kUsage.
base::Result<app::ReplayOptions> replay_options(
    Settings settings, const std::vector<std::string>& operands);
// An unknown action or one that misses its key: kUsage.
base::Result<app::ConfigCommandOptions> config_options(
    Settings settings, const std::vector<std::string>& operands);

}  // namespace llmroute::cli
