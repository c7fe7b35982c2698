#include "app/batch_setup.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "app/batch_output.h"
#include "app/input.h"
#include "base/files.h"
#include "base/text.h"
#include "batch/template.h"
#include "core/money.h"

namespace llmroute::app {
namespace {

using base::Result;
using base::Status;

base::Error usage(std::string message) {
  return {base::ErrorKind::kUsage, std::move(message)};
}

struct Shard {
  int64_t number = 1, of = 1;
};

// Variables of a cluster scheduler's array task: this one's index, the first,
// the last, the step and how many there are, where it tells.
struct ArrayVariables {
  const char *index, *first, *last, *step, *count;
};
constexpr std::array<ArrayVariables, 3> kSchedulers = {{
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
     "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_COUNT"},
    {"SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE", ""},
    {"LSB_JOBINDEX", "LSB_JOBINDEX_START", "LSB_JOBINDEX_END",
     "LSB_JOBINDEX_STEP", ""},
}};

Result<Shard> shard_of_environment(const base::Environment& environment) {
  const auto number = [&](const char* name,
                          int64_t fallback) -> std::optional<int64_t> {
    const auto text = environment.get(name);
    return text ? base::parse_int(*text) : std::optional(fallback);
  };
  for (const ArrayVariables& names : kSchedulers) {
    const auto index = number(names.index, -1);
    const auto first = number(names.first, 1);
    const auto last = number(names.last, -1);
    const auto step = number(names.step, 1);
    if (!index || !first || !last || !step || *index < 0 || *last < 0) continue;
    if (*step < 1 || *index < *first || *index > *last) continue;
    const Shard shard{(*index - *first) / *step + 1,
                      (*last - *first) / *step + 1};
    if (number(names.count, shard.of) == shard.of) return shard;
    return usage(fmt::format(
        "--shard auto: the array has {} tasks where {} to {} are {}, so that "
        "records would be left out; name the shard: --shard K/N",
        environment.get(names.count).value_or(""), *first, *last, shard.of));
  }
  return usage(
      "--shard auto: this is no array task of Slurm, Grid Engine or LSF "
      "(SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_MAX are not both set); name "
      "the shard: --shard K/N, or under GNU parallel --shard auto/N");
}

// GNU parallel tells the number of a job, and not how many there are.
Result<Shard> shard_of_job(const std::string& of,
                           const base::Environment& environment) {
  const auto text = environment.get("PARALLEL_SEQ");
  const int64_t number = base::parse_int(text.value_or("")).value_or(0);
  const int64_t parts = base::parse_int(of).value_or(0);
  if (number >= 1 && number <= parts) return Shard{number, parts};
  return usage(fmt::format(
      "--shard auto/{}: {}", of,
      parts < 1 ? "expected auto/N with N >= 1"
      : text    ? fmt::format("PARALLEL_SEQ is {}, not 1 to {}", *text, parts)
             : "PARALLEL_SEQ is not set, so this is no job of GNU parallel"));
}

Result<Shard> parse_shard(const std::string& text,
                          const base::Environment& environment) {
  if (text == "auto") return shard_of_environment(environment);
  const size_t slash = text.find('/');
  if (text.substr(0, slash) == "auto") {
    return shard_of_job(text.substr(slash + 1), environment);
  }
  const auto number = base::parse_int(text.substr(0, slash));
  const auto of = slash == std::string::npos
                      ? std::nullopt
                      : base::parse_int(text.substr(slash + 1));
  if (number && of && *of >= 1 && *number >= 1 && *number <= *of) {
    return Shard{*number, *of};
  }
  return usage("--shard " + text + ": expected K/N with 1 <= K <= N, or auto");
}

// Options that say two things about the same.
Status check_options(const BatchOptions& options) {
  const BatchInputOptions& input = options.input;
  const int kinds = (input.lines || input.nul) +
                    input.prompt_template.has_value() +
                    input.prompt_field.has_value();
  if (kinds > 1) {
    return usage(
        "--lines, -0, --template and --prompt-field exclude each other");
  }
  const int modes =
      options.dry_run + options.validate + options.split.has_value();
  if (modes > 1) {
    return usage("--dry-run, --validate and --split exclude each other");
  }
  if (input.system && input.system_file) {
    return usage("--system and --system-file exclude each other");
  }
  return {};
}

}  // namespace

Result<BatchOptions> settle_options(BatchOptions options,
                                    const base::Environment& environment) {
  LLMROUTE_CHECK(check_options(options));
  BatchInputOptions& input = options.input;
  options.run_ceiling = options.limits.max_cost;
  if (input.system_file) {
    LLMROUTE_TRY(input.system, base::read_file(*input.system_file, kMostInput));
  }
  if (input.shard) {
    LLMROUTE_TRY(const Shard shard, parse_shard(*input.shard, environment));
    input.shard = fmt::format("{}/{}", shard.number, shard.of);
    auto& ceiling = options.limits.max_cost;
    // The parts add up to at most the whole.
    if (ceiling) ceiling = core::Money{ceiling->pico / shard.of};
  }
  return options;
}

LimitOptions request_limits(const BatchOptions& options) {
  LimitOptions limits = options.limits;
  limits.max_cost.reset();
  return limits;
}

int64_t shards_of(const BatchInputOptions& input) {
  if (!input.shard) return 1;
  return base::parse_int(input.shard->substr(input.shard->find('/') + 1))
      .value_or(1);
}

Result<batch::InputLines> open_lines(const BatchInputOptions& input) {
  batch::InputOptions options;
  options.separator = input.nul ? '\0' : '\n';
  options.json = !input.lines && !input.nul;
  options.skip = input.skip;
  options.limit = input.limit;
  if (input.shard) {
    const size_t slash = input.shard->find('/');
    options.shard = base::parse_int(input.shard->substr(0, slash)).value_or(1);
  }
  options.shards = shards_of(input);
  return batch::InputLines::open(input.files, options);
}

Result<batch::RecordParser> record_parser(const BatchInputOptions& input,
                                          bool keep_input) {
  batch::RecordOptions options;
  options.lines = input.lines || input.nul;
  options.ignore_unknown = input.ignore_unknown;
  options.keep_input = keep_input;
  if (input.prompt_field) {
    options.prompt = batch::Template::of_field(*input.prompt_field);
  }
  if (input.prompt_template) {
    LLMROUTE_TRY(options.prompt,
                 batch::Template::parse(*input.prompt_template));
  }
  return batch::RecordParser(std::move(options));
}

std::string scratch_directory(const BatchOutputOptions& output) {
  if (const auto file = output_file(output)) {
    return base::parent_directory(*file);
  }
  const base::ProcessEnvironment environment;
  return environment.get("TMPDIR").value_or("/tmp");
}

}  // namespace llmroute::app
