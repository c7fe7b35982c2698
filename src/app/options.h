// What each command was asked to do: filled by cli/, read by the command's file
// in app/.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "core/money.h"
#include "core/routing_options.h"
#include "store/grouping.h"

namespace llmroute::app {

struct ConfigOptions : config::Sources {
  std::optional<int> key_fd;  // where a key comes from
  bool tls_keylog = false;    // SSLKEYLOGFILE is obeyed
};

struct InputOptions {
  std::vector<std::string> operands;
  std::optional<std::string> prompt;  // -p
  std::vector<std::string> files;     // -f, "-" is stdin
  std::optional<std::string> system;
  std::optional<std::string> system_file;
  bool no_stdin = false;
  bool lossy = false;
  std::optional<std::chrono::milliseconds> stdin_timeout;
};

using core::RoutingOptions;

struct RequestOptions {
  std::optional<int64_t> max_tokens;
  std::optional<double> temperature;
  std::vector<std::string> stop;
  std::optional<int64_t> seed;
  std::vector<std::pair<std::string, std::string>> extra;  // -O K=V
  std::optional<std::string> schema_file, tools_file;
};

struct LimitOptions {
  std::optional<std::chrono::milliseconds> timeout, connect_timeout,
      first_token_timeout, idle_timeout;
  std::optional<int> retries;  // per candidate, after the first attempt
  std::optional<core::Money> max_cost;
  bool offline = false;  // LLMROUTE_OFFLINE: refuse all network
};

enum class Format { kText, kJson, kJsonl, kCsv };
enum class ColorWhen { kAuto, kAlways, kNever };
// Whether what others wrote is made visible where it goes to stdout.
enum class Sanitize { kAuto, kAlways, kNever };  // kAuto: on a terminal

struct MessageOptions {  // how to talk on stderr
  bool quiet = false;
  int verbose = 0;
  ColorWhen color = ColorWhen::kAuto;
  Format error_format = Format::kText;
};

// What of an answer that came makes a run fail.
struct FailOn {
  bool length = true;  // only if the limit was not the user's own
  bool filter = true, refusal = true, empty = true;
  bool unpriced = false;     // what it cost is not known
  bool other_model = false;  // not the one that was asked served
};

struct OutputOptions {
  std::optional<std::string> file;  // -o; "-" is stdout
  Format format = Format::kText;
  bool no_stream = false;
  std::optional<std::string> check;  // a shell command
  bool extract = false;              // the first fenced block only
  FailOn fail_on;
  Sanitize sanitize = Sanitize::kAuto;
  bool stats = false;
  bool show_route = false;
  bool dry_run = false;
  std::optional<std::string> transcript;  // a file
};

struct LedgerOptions {
  // None: in the state directory. "off" as the last one: no ledger.
  std::vector<std::string> files;
  bool files_from_environment = false;
  std::optional<std::string> run;  // LLMROUTE_RUN: processes that share it
  bool learn = true;               // from what happens
  bool strict = false;             // what it cannot take is an error
  std::optional<std::string> session;
};

struct RunOptions {
  ConfigOptions config;
  InputOptions input;
  RoutingOptions routing;
  RequestOptions request;
  LimitOptions limits;
  OutputOptions output;
  LedgerOptions ledger;
  MessageOptions messages;
};

// Where a batch's records come from and how a line is read.
struct BatchInputOptions {
  std::vector<std::string> files;  // none, or "-": stdin
  bool lines = false;              // a line is a prompt
  bool nul = false;                // the same, separated by NUL
  std::optional<std::string> prompt_template, prompt_field;
  std::optional<std::string> system,
      system_file;  // of records without their own
  bool ignore_unknown = false;
  bool reroute = false;  // records' own models are not kept
  int64_t skip = 0;
  std::optional<int64_t> limit;
  std::optional<std::string> shard;  // "K/N" or "auto"
};

struct BatchOutputOptions {
  std::optional<std::string> file;     // -o; "-" is stdout
  std::optional<std::string> journal;  // beside -o if not given
  std::optional<std::string> errors;   // where failed records go instead
  std::optional<std::string> form;     // "native" or "openai"
  bool unordered = false;
  bool echo = false;
  bool extras = true;
  bool timing = true;
  bool force = false;  // replace what is there
  std::string fsync = "group";
  bool repair = false, retry_errors = false, accept_config_change = false;
  std::string match = "line";
  std::optional<std::string> summary;  // a JSON file
  std::string progress = "auto";
};

struct BatchOptions {
  ConfigOptions config;
  BatchInputOptions input;
  RoutingOptions routing;
  RequestOptions request;
  LimitOptions limits;  // max_cost: of the whole batch
  BatchOutputOptions output;
  LedgerOptions ledger;
  // Of all processes of LLMROUTE_RUN together: --max-cost before it is divided
  // by shards.
  std::optional<core::Money> run_ceiling = {};
  int jobs = 8;
  std::optional<double> requests_per_minute, tokens_per_minute;
  std::optional<double> max_errors;  // records
  bool max_errors_percent = false;   // of the records done, 100 at least
  bool strict = false;
  bool validate = false;
  bool dry_run = false;
  std::optional<std::string> split, collect;  // a directory
  Format format = Format::kText;              // of the estimate
  MessageOptions messages;
};

struct ExplainOptions {
  ConfigOptions config;
  InputOptions input;
  RoutingOptions routing;
  RequestOptions request;
  LimitOptions limits;
  LedgerOptions ledger;
  Format format = Format::kText;
  bool no_timing = false;
  std::optional<std::string> why_not;
  bool jsonl = false;               // records instead of one prompt
  std::optional<std::string> diff;  // another config
  std::vector<std::string> expect;  // "route=strong", "cost<0.01"
  MessageOptions messages;
};

struct ModelsOptions {
  ConfigOptions config;
  LedgerOptions ledger;
  Format format = Format::kText;
  bool all = false;                   // also those whose key is missing
  std::vector<std::string> patterns;  // globs on the name; none: all
  MessageOptions messages;
};

// What `usage` does: it reads, but for these.
enum class UsageAction { kReport, kCheck, kReleaseOrphans, kPurge };

struct UsageOptions {
  ConfigOptions config;
  LedgerOptions ledger;
  UsageAction action = UsageAction::kReport;
  std::vector<store::Grouping> by;   // none: by model
  std::optional<std::string> since;  // "7d" or "2026-11-01", validated
  std::optional<std::string> until;  // the same
  std::string purge_before;          // a day, validated
  Format format = Format::kText;
  MessageOptions messages;
};

struct FeedbackOptions {
  LedgerOptions ledger;
  std::string decision;  // an id, its beginning, or "last"
  double score = 0;      // 0 (bad) to 1 (good)
  MessageOptions messages;
};

struct ReplayOptions {
  LedgerOptions ledger;
  std::optional<std::string> decision;  // as of feedback; none: all
  std::optional<std::string> with;      // another config file
  std::optional<std::string> since;     // as of usage
  Format format = Format::kText;
  MessageOptions messages;
};

enum class ConfigAction { kPath, kShow, kCheck, kInit, kGet };

struct ConfigCommandOptions {
  ConfigOptions config;
  ConfigAction action = ConfigAction::kPath;
  std::string key;      // get
  bool origin = false;  // show
  bool force = false;   // init
  MessageOptions messages;
};

// "apgr<0.6": an assertion that fails when it is true.
struct FailIf {
  std::string text, name, relation;
  double limit = 0;
};

// What `bench` measures on files of outcomes.
struct QualityOptions {
  std::vector<std::string> models;        // names or globs; none: all
  bool test_part = false;                 // only rows that training holds out
  std::optional<std::string> model_file;  // the router model; else the config's
  std::optional<std::string> baseline;    // an earlier --json
  std::vector<FailIf> fail_if;
  std::optional<std::string> plot;       // an SVG
  std::optional<double> target_quality;  // share of the best constant's
  bool robust = false;
  uint32_t folds = 0;              // 0: not fitted to the files, or 5
  bool groups = false;             // whole groups a fold
  bool unseen = false;             // fitted to other models than are measured
  std::vector<std::string> train;  // fitted to these files instead
};

struct BenchOptions {
  ConfigOptions config;
  std::vector<std::string> files;
  Format format = Format::kText;
  double seconds = 1;                // how long the speed is measured
  std::optional<std::string> speed;  // on its lines; else on prompts of our own
  QualityOptions quality;
  uint64_t seed = 1;  // of resampling
  MessageOptions messages;
};

struct TrainOptions {
  ConfigOptions config;
  LedgerOptions ledger;
  bool from_ledger = false;
  std::vector<std::string> files;  // JSONL or JSONL.gz
  std::optional<std::string> output;
  std::optional<std::string> card;
  std::optional<std::string> init;   // warm start
  std::vector<std::string> heads;    // models to fit own heads for; globs
  std::vector<std::string> without;  // sources to leave out; globs
  uint64_t seed = 1;
  int threads = 1;
  bool force = false;
  Format format = Format::kText;
  MessageOptions messages;
};

}  // namespace llmroute::app
