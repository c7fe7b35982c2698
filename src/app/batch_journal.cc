#include "app/batch_journal.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "app/batch_files.h"
#include "app/batch_output.h"
#include "base/json_text.h"
#include "base/json_writer.h"
#include "base/sha256.h"
#include "base/table.h"
#include "base/text.h"
#include "batch/output_digest.h"
#include "config/write.h"

namespace llmroute::app {
namespace {

using base::Result;

void write(base::JsonWriter& json, const core::RoutingOptions& routing) {
  json.field("models", routing.models);
  json.field("route", routing.route).field("profile", routing.profile);
  json.field("worth", routing.worth).field("wait", routing.wait);
  json.field("tier", routing.tier).field("min_tier", routing.min_tier);
  json.field("max_tier", routing.max_tier);
  json.field("allow", routing.allow).field("deny", routing.deny);
  json.field("require", routing.require).field("fallback", routing.fallback);
  json.field("no_fallback", routing.no_fallback);
  if (routing.allow_unpriced) json.field("allow_unpriced", true);
  for (const auto& [key, value] : routing.tags) {
    json.field("tag " + key, value);
  }
}

void write(base::JsonWriter& json, const RequestOptions& request) {
  json.field("max_tokens", request.max_tokens);
  json.field("temperature", request.temperature);
  json.field("stop", request.stop).field("seed", request.seed);
  for (const auto& [key, value] : request.extra) {
    json.field("-O " + key, value);
  }
}

void write(base::JsonWriter& json, const BatchInputOptions& input) {
  json.field("lines", input.lines).field("nul", input.nul);
  json.field("template", input.prompt_template);
  json.field("prompt_field", input.prompt_field);
  json.field("system", input.system);
  json.field("ignore_unknown", input.ignore_unknown);
  json.field("reroute", input.reroute);
}

void write(base::JsonWriter& json, const BatchOutputOptions& output) {
  json.field("form", output.form).field("echo", output.echo);
  json.field("extras", output.extras).field("timing", output.timing);
  json.field("unordered", output.unordered);
  json.field("errors", output.errors.has_value());
}

// Without limits, budgets and learning: a batch goes on with others.
std::string what_answers(core::Config config) {
  config.limits = {};
  config.budgets.clear();
  config.learning = {};
  std::erase_if(config.values, [](const core::ConfigValue& value) {
    return value.key.starts_with("limits.") ||
           value.key.starts_with("budgets.") ||
           value.key.starts_with("learning.");
  });
  return config::toml_document(config, false);
}

// Whether stdout or a device is written, which cannot be published by renaming.
bool written_in_place(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
         !S_ISDIR(status.st_mode);
}

std::optional<std::string> journal_path(const BatchOutputOptions& output) {
  if (output.journal) return output.journal;
  const auto file = output_file(output);
  if (!file || written_in_place(*file)) return std::nullopt;
  return *file + ".llmroute-journal";
}

// How a person calls a part of BatchIdentity.
std::string part_name(const std::string& key) {
  if (key == "config") return "configuration";
  if (key == "router_model") return "router model";
  if (key == "models") return "--model";
  if (key == "nul") return "--null";
  if (key == "form") return "--out";
  if (key == "extras") return "--no-extras";
  if (key == "timing") return "--no-timing";
  if (key.starts_with("-O ")) return key;
  if (key.starts_with("tag ")) return "--" + key;
  std::string name = "--" + key;
  std::ranges::replace(name, '_', '-');
  return name;
}

using Parts = std::map<std::string, std::string>;

Parts parts_of(const batch::JournalHead& head) {
  return {head.parts.begin(), head.parts.end()};
}

// Whether another --limit, --skip or --shard asks other lines.
bool asks_other_lines(const batch::JournalHead& head,
                      const batch::JournalHead& wanted) {
  const Parts before = parts_of(head), now = parts_of(wanted);
  const auto differs = [&](const char* key) {
    const auto one = before.find(key), other = now.find(key);
    return one == before.end() || other == now.end() ||
           one->second != other->second;
  };
  return differs("limit") || differs("skip") || differs("shard");
}

// What the journal's batch had otherwise, as far as it tells.
std::string differences(const batch::JournalHead& head,
                        const batch::JournalHead& wanted) {
  std::vector<std::string> names;
  if (head.match != wanted.match) names.emplace_back("--match");
  const Parts before = parts_of(head);
  Parts now = parts_of(wanted);
  for (const auto& [key, hash] : before) {
    if (const auto same = now.find(key); same == now.end()) {
      names.push_back(part_name(key));
    } else {
      if (same->second != hash) names.push_back(part_name(key));
      now.erase(same);
    }
  }
  for (const auto& [key, hash] : now) names.push_back(part_name(key));
  if (names.empty()) {  // only the first of very many are told
    return "with another configuration or other options";
  }
  return "with another " + base::join(names, ", ");
}

base::Status check_head(const batch::JournalHead& head,
                        const batch::JournalHead& wanted,
                        const std::string& path, bool accept_change) {
  const bool same = head.config == wanted.config &&
                    head.match == wanted.match && head.form == wanted.form;
  if (same || (accept_change && head.match == wanted.match)) return {};
  return base::Error{
      base::ErrorKind::kConfig,
      fmt::format("{} belongs to a batch {}; {}remove it to start over", path,
                  differences(head, wanted),
                  head.match == wanted.match
                      ? "--accept-config-change goes on with this one, or "
                      : "")};
}

// Whether an output was taken away.
bool is_gone(const std::optional<std::string>& file) {
  struct stat status {};
  return file && file != kStdout && ::lstat(file->c_str(), &status) != 0 &&
         errno == ENOENT;
}

// Whether OUT is what an earlier run published, before another one went on to
// retry errors.
Result<bool> is_published(const BatchOutputOptions& output,
                          const batch::Journal& journal) {
  const auto file = output_file(output);
  if (!file || !journal.published() || journal.end()) return false;
  LLMROUTE_TRY(const auto digest, batch::read_output_digest(*file));
  return digest == journal.published()->output;
}

// Of a batch that ended: OUT still is what it wrote, or was taken away.
base::Status check_output(const BatchOptions& options,
                          const batch::JournalEnd& end,
                          const std::string& journal) {
  if (is_gone(output_file(options.output))) return {};
  const std::string file = output_file(options.output).value_or("stdout");
  LLMROUTE_TRY(const auto digest, batch::read_output_digest(file));
  if (output_file(options.output) && digest == end.output) return {};
  return base::Error{
      base::ErrorKind::kCannotCreate,
      fmt::format("{} is not what {} says was written; --force asks everything "
                  "again",
                  file, journal)};
}

// Of a batch that ended: whether there is anything left to do.
base::Status go_on_after_end(const BatchOptions& options,
                             const batch::JournalEnd& end,
                             const std::string& path, BatchJournal& result) {
  const BatchOutputOptions& output = options.output;
  const auto same = check_output(options, end, path);
  if (!same && !output.force) return same.error();
  const bool again = output.retry_errors && end.failed > 0;
  const bool gone = is_gone(output_file(output));
  const bool errors_gone = is_gone(output.errors);
  if (same && !gone && !errors_gone && !again) result.done = end;
  result.fresh = !same;
  // Others may have made a file where none was, or of errors beside none.
  const auto replaced = [&](bool ours) {
    return ours || output.force ? batch::ExistingOutput::kReplace
                                : batch::ExistingOutput::kCompare;
  };
  result.existing = replaced(!gone);
  result.existing_errors = replaced(!gone && !errors_gone);
  return {};
}

// Name and hash of each field of an object. Short: they tell apart, no more.
std::vector<std::pair<std::string, std::string>> hashes_of(
    const std::string& object) {
  constexpr size_t kDigits = 8;
  constexpr size_t kMost = 500;  // of which a head is not too long
  constexpr size_t kLongestName = 60;
  std::vector<std::pair<std::string, std::string>> hashes;
  const auto read = base::read_json(object);
  for (size_t i = 0; read && i < read->root.names().size(); ++i) {
    const std::string value = base::compact_json(read->root.items()[i]);
    hashes.emplace_back(
        base::clip_to_width(read->root.names()[i], kLongestName),
        base::hex(base::sha256(value)).substr(0, kDigits));
    if (hashes.size() == kMost) break;
  }
  return hashes;
}

}  // namespace

BatchIdentity identify_batch(const BatchOptions& options,
                             const Routed& routed) {
  base::JsonWriter json;
  json.begin_object();
  json.field("config", what_answers(*routed.config));
  json.field("router_model", routed.analyzer->sha256());
  write(json, options.routing);
  write(json, options.request);
  write(json, options.input);
  write(json, options.output);
  BatchIdentity identity;
  identity.run_id = base::hex(base::sha256(json.text())).substr(0, 16);
  json.field("skip", options.input.skip).field("limit", options.input.limit);
  json.field("shard", options.input.shard).end_object();
  identity.fingerprint = base::hex(base::sha256(json.text()));
  identity.parts = hashes_of(json.text());
  return identity;
}

Result<BatchJournal> open_batch_journal(const BatchOptions& options,
                                        const BatchIdentity& identity) {
  const BatchOutputOptions& output = options.output;
  BatchJournal result;
  if (output.force) {
    result.existing = result.existing_errors = batch::ExistingOutput::kReplace;
  }
  const auto path = journal_path(output);
  if (!path) {
    if (!output.retry_errors && !output.repair) return result;
    return base::Error{base::ErrorKind::kUsage,
                       "--retry-errors and --repair need a journal: give the "
                       "-o or --journal of the run to go on with"};
  }
  batch::JournalOptions how;
  how.fsync = output.fsync == "always" ? batch::FsyncPolicy::kAlways
              : output.fsync == "none" ? batch::FsyncPolicy::kNone
                                       : batch::FsyncPolicy::kGroup;
  how.repair = output.repair;
  how.retry_errors = output.retry_errors;
  LLMROUTE_TRY(
      batch::Journal journal,
      batch::Journal::open(*path, how, [](const auto&, const auto*) {}));
  result.head = {batch::kJournalVersion,
                 identity.run_id,
                 identity.fingerprint,
                 output.match,
                 output.form.value_or("as the record"),
                 identity.parts};
  const batch::JournalHead& head = result.head;
  result.fresh = !journal.head();
  if (!result.fresh) {
    LLMROUTE_CHECK(
        check_head(*journal.head(), head, *path, output.accept_config_change));
    result.other_lines = asks_other_lines(*journal.head(), head);
    LLMROUTE_TRY(const bool published, is_published(output, journal));
    result.existing = output.force || published
                          ? batch::ExistingOutput::kReplace
                          : batch::ExistingOutput::kCompare;
  }
  result.existing_errors = result.existing;
  if (journal.end()) {
    LLMROUTE_CHECK(go_on_after_end(options, *journal.end(), *path, result));
  }
  result.journal.emplace(std::move(journal));
  return result;
}

base::Status begin_journal(BatchJournal& begun) {
  return begun.journal && begun.fresh ? begun.journal->begin(begun.head)
                                      : base::Status();
}

UnusedJournal::~UnusedJournal() {
  if (begun_.journal && !begun_.journal->head()) {
    ::unlink(begun_.journal->path().c_str());
  }
}

}  // namespace llmroute::app
