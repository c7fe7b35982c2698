#include "batch/collect.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "batch/batch_output.h"
#include "batch/input_lines.h"
#include "batch/json_line.h"
#include "batch/record_fields.h"
#include "batch/split.h"
#include "core/exit_status.h"

namespace llmroute::batch {
namespace {

using base::Error;
using base::ErrorKind;

constexpr int kManifestLevels = 2;
constexpr std::string_view kSuffix = ".jsonl";
// An answer with log-probabilities can be longer than a line of input.
constexpr size_t kLongestResult = size_t{64} << 20;

Error bad_line(const std::string& path, int64_t line, const std::string& what) {
  return {ErrorKind::kData, fmt::format("{}:{}: {}", path, line, what)};
}

// Calls `take` with each line of a file that is not blank.
base::Status for_each_line(
    const std::string& path,
    const std::function<base::Status(const InputLine&)>& take) {
  InputOptions options;
  options.longest_line = kLongestResult;
  const std::string paths[] = {path};
  LLMROUTE_TRY(InputLines lines, InputLines::open(paths, options));
  for (;;) {
    InputLine line;
    LLMROUTE_TRY(const InputLines::Next next, lines.next(line));
    if (next == InputLines::Next::kEnd) return {};
    if (next == InputLines::Next::kWait) continue;  // files never wait
    if (line.too_long) return bad_line(path, line.number, "too long");
    LLMROUTE_CHECK(take(line));
  }
}

// Where the result of each request is.
class ResultIndex {
 public:
  base::Status add_file(const std::string& path);
  // The result, or nothing if there is none.
  base::Result<std::optional<Result>> find(const std::string& custom_id);
  int64_t stray() const {
    return static_cast<int64_t>(places_.size()) - found_;
  }

 private:
  struct Place {
    size_t file = 0;
    int64_t offset = 0;
    size_t size = 0;
    bool good = false;
  };

  std::vector<std::pair<std::string, base::Descriptor>> files_;
  std::unordered_map<std::string, Place> places_;
  int64_t found_ = 0;
  JsonLine json_;
  std::string line_;
};

base::Status ResultIndex::add_file(const std::string& path) {
  files_.emplace_back(
      path, base::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
  BatchOutput output;
  return for_each_line(path, [&](const InputLine& line) -> base::Status {
    if (const Fault fault = read_batch_output(line.text, json_, output)) {
      return bad_line(path, line.number, fault->message);
    }
    const Place place{files_.size() - 1, line.offset, line.text.size(),
                      !output.result.error};
    Place& kept = places_.try_emplace(output.custom_id, place).first->second;
    if (place.good || !kept.good) kept = place;
    return {};
  });
}

base::Result<std::optional<Result>> ResultIndex::find(
    const std::string& custom_id) {
  const auto found = places_.find(custom_id);
  if (found == places_.end()) return std::optional<Result>();
  ++found_;
  const Place& place = found->second;
  const auto& [path, descriptor] = files_[place.file];
  line_.resize(place.size);
  const auto got =
      base::read_at(descriptor.get(), static_cast<uint64_t>(place.offset),
                    std::as_writable_bytes(std::span(line_)));
  BatchOutput output;
  if (got != place.size || read_batch_output(line_, json_, output) ||
      output.custom_id != custom_id) {
    return Error{ErrorKind::kData,
                 fmt::format("'{}' changed while it was read", path)};
  }
  return std::optional<Result>(std::move(output.result));
}

// What a line of the manifest says of its record and where that was sent.
struct Entry {
  Record record;
  std::string custom_id, file;
  Result known;  // the model and so on, or the error
};

Fault read_entry(std::string_view line, JsonLine& json, Entry& entry) {
  LLMROUTE_FAULT(json.parse(line, kManifestLevels));
  const JsonNode& root = json.root();
  const JsonNode* number = root.find_value("line");
  const JsonNode* id = root.find_value("id");
  if (number == nullptr || !number->whole_number() || id == nullptr) {
    return bad_value("not a line of a manifest");
  }
  entry = {};
  entry.record.line = *number->whole_number();
  entry.record.numeric_id = id->is(JsonNode::Kind::kNumber);
  entry.record.id = entry.record.numeric_id ? id->raw : id->text;
  const std::string_view form = root.text_of("form");
  entry.record.form = form == "native" ? Form::kNative : Form::kOpenAi;
  entry.record.responses = form == "openai-responses";
  if (const JsonNode* meta = root.find_value("meta")) {
    entry.record.meta = meta->raw;
  }
  if (const JsonNode* schema = root.find_value("schema")) {
    entry.record.prompt.parameters.schema = schema->raw;
  }
  if (const JsonNode* limit = root.find_value("max_tokens")) {
    entry.record.prompt.parameters.max_tokens = limit->whole_number();
  }
  // Which ones does not matter any more.
  if (root.find_value("tools") != nullptr) {
    entry.record.prompt.parameters.tools.resize(1);
  }
  if (const JsonNode* choice = root.find_value("tool_choice")) {
    LLMROUTE_FAULT(read_tool_choice(*choice, entry.record));
  }
  if (const JsonNode* parallel = root.find_value("parallel_tool_calls")) {
    LLMROUTE_FAULT(read_parallel(*parallel, entry.record));
  }
  entry.custom_id = root.text_of("custom_id");
  entry.file = root.text_of("file");
  entry.known.routed = root.text_of("model");
  entry.known.provider = root.text_of("provider");
  entry.known.route = root.text_of("route");
  entry.known.source = root.text_of("source");
  if (const JsonNode* error = root.find_value("error")) {
    entry.record.error = RecordError{std::string(error->text_of("code")),
                                     std::string(error->text_of("message"))};
  }
  return std::nullopt;
}

base::Status for_each_entry(
    const std::string& path,
    const std::function<base::Status(const Entry&)>& take) {
  JsonLine json;
  Entry entry;
  return for_each_line(path, [&](const InputLine& line) -> base::Status {
    if (const Fault fault = read_entry(line.text, json, entry)) {
      return bad_line(path, line.number, fault->message);
    }
    return take(entry);
  });
}

Result missing_result() {
  Result result;
  result.error =
      ResultError{"missing_result", "no result file holds it", true, 0, ""};
  return result;
}

base::Result<Result> result_of(const Entry& entry, ResultIndex& index,
                               const CollectOptions& options,
                               CollectCounts& counts) {
  if (entry.record.error) return unasked(entry.record);
  LLMROUTE_TRY(std::optional<Result> found, index.find(entry.custom_id));
  if (!found) ++counts.missing;
  Result result = found ? *std::move(found) : missing_result();
  result.routed = entry.known.routed;
  result.provider = entry.known.provider;
  result.route = entry.known.route;
  result.source = entry.known.source;
  if (result.error) {
    result.error->provider = result.provider;
    return result;
  }
  if (options.cost) {
    result.cost = options.cost(result.routed, result.reply.usage);
  }
  // A call is no answer where none was asked for.
  const core::Parameters& asked = entry.record.prompt.parameters;
  if (!asked.may_call()) result.reply.tool_calls.clear();
  if (!options.check) return result;
  if (const base::Status good = options.check(asked, result.reply); !good) {
    result.error = ResultError{
        core::exit_status_code(core::exit_status(good.error().kind)),
        good.error().message,
        false,
        0,
        result.provider,
        true};
  }
  return result;
}

base::Status add_request_files(const std::string& manifest,
                               std::set<std::string>& names) {
  return for_each_entry(manifest, [&names](const Entry& entry) {
    const bool plain = entry.file.find('/') == std::string::npos;
    if (plain && !entry.file.empty()) names.insert(entry.file);
    return base::Status();
  });
}

std::string manifest_of(const std::string& directory) {
  return fmt::format("{}/{}", directory, kManifestName);
}

}  // namespace

std::set<std::string> named_files(const std::string& manifest) {
  std::set<std::string> names;
  (void)add_request_files(manifest, names);
  return names;
}

base::Result<std::vector<std::string>> json_files(const std::string& directory,
                                                  std::string_view behind) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(
      ::opendir(directory.c_str()), &::closedir);
  if (!entries) {
    return Error{ErrorKind::kNoInput,
                 fmt::format("cannot open '{}': {}", directory,
                             base::errno_text(errno))};
  }
  const std::string end = std::string(kSuffix).append(behind);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string name = entry->d_name;
    struct stat info {};
    if (name.ends_with(end) && name != kManifestName && name[0] != '.' &&
        ::stat(fmt::format("{}/{}", directory, name).c_str(), &info) == 0 &&
        S_ISREG(info.st_mode)) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

base::Result<CollectCounts> collect(const std::string& directory,
                                    const CollectOptions& options,
                                    const LineSink& sink) {
  std::set<std::string> requests;
  LLMROUTE_CHECK(add_request_files(manifest_of(directory), requests));
  ResultIndex index;
  LLMROUTE_TRY(const std::vector<std::string> names, json_files(directory));
  for (const std::string& name : names) {
    if (requests.contains(name)) continue;
    LLMROUTE_CHECK(index.add_file(fmt::format("{}/{}", directory, name)));
  }
  CollectCounts counts;
  LLMROUTE_CHECK(for_each_entry(
      manifest_of(directory), [&](const Entry& entry) -> base::Status {
        LLMROUTE_TRY(const Result result,
                     result_of(entry, index, options, counts));
        ++(result.error ? counts.failed : counts.ok);
        return sink(result_line(entry.record, result, options.result),
                    !result.error);
      }));
  counts.stray = index.stray();
  return counts;
}

}  // namespace llmroute::batch
