#include "batch/split.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "batch/collect.h"
#include "batch/file_lock.h"
#include "batch/part_file.h"
#include "batch/result_body.h"

namespace llmroute::batch {
namespace {

using base::Error;
using base::ErrorKind;
using base::JsonWriter;

constexpr int64_t kMostLines = 50'000;
constexpr size_t kMostBytes = 200'000'000;
constexpr size_t kMostIdBytes = 64;
constexpr size_t kMostStemBytes = 100;
constexpr size_t kBuffered = size_t{1} << 17;
constexpr std::string_view kLineId = "line-";
// Behind the name of a file that is not whole yet, or of a split that is not.
constexpr std::string_view kNew = ".llmroute-new";
constexpr int kMostAttempts = 100;  // to be the one who writes the manifest

bool is_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string_view token_limit_field(const SplitTarget& target) {
  if (!target.model.token_limit_field.empty()) {
    return target.model.token_limit_field;
  }
  return target.provider.token_limit_field.empty()
             ? std::string_view("max_tokens")
             : target.provider.token_limit_field;
}

void write_parameters(JsonWriter& json, const core::Parameters& parameters,
                      const SplitTarget& target) {
  if (parameters.max_tokens) {
    json.field(token_limit_field(target), *parameters.max_tokens);
  }
  if (parameters.temperature && target.model.accepts_temperature) {
    json.field("temperature", *parameters.temperature);
  }
  if (!parameters.stop.empty()) {
    json.key("stop").begin_array();
    for (const std::string& one : parameters.stop) json.value(one);
    json.end_array();
  }
  if (parameters.seed && !target.provider.seed_field.empty()) {
    json.field(target.provider.seed_field, *parameters.seed);
  }
}

// What every line of the manifest begins with.
JsonWriter manifest_line(const Record& record) {
  JsonWriter json;
  json.begin_object().field("line", record.line).key("id");
  record.numeric_id ? json.raw(record.id) : json.value(record.id);
  const bool openai = record.form == Form::kOpenAi;
  json.field("form", !openai            ? "native"
                     : record.responses ? "openai-responses"
                                        : "openai-chat");
  if (!record.meta.empty()) json.key("meta").raw(record.meta);
  return json;
}

}  // namespace

std::string safe_file_stem(std::string_view name) {
  std::string stem;
  if (name.empty() || name.starts_with('.')) stem += '_';
  stem += name.substr(0, kMostStemBytes - stem.size());
  std::replace_if(
      stem.begin(), stem.end(), [](char c) { return !is_safe(c); }, '_');
  return stem;
}

std::string custom_id_of(const Record& record) {
  const std::string& id = record.id;
  const bool usable = record.own_id && id.size() <= kMostIdBytes &&
                      !id.starts_with(kLineId) &&
                      std::all_of(id.begin(), id.end(),
                                  [](char c) { return c >= ' ' && c <= '~'; });
  return usable ? id : fmt::format("{}{}", kLineId, record.line);
}

base::Result<SplitWriter> SplitWriter::create(const std::string& directory,
                                              bool force) {
  SplitWriter writer(directory);
  LLMROUTE_CHECK(base::create_directories(directory));
  if (!is_directory(directory)) {
    return Error{ErrorKind::kCannotCreate,
                 fmt::format("'{}' is not a directory", directory)};
  }
  const std::string manifest = writer.path_of(kManifestName);
  if (!force && base::file_exists(manifest)) {
    return Error{ErrorKind::kCannotCreate,
                 fmt::format("'{}' exists; --force replaces it", manifest)};
  }
  // Before it is locked: closing the file would unlock it.
  writer.replaced_ = named_files(manifest + std::string(kNew));
  writer.replaced_.merge(named_files(manifest));
  LLMROUTE_CHECK(writer.check_others());
  LLMROUTE_CHECK(writer.create_manifest());
  LLMROUTE_CHECK(writer.remove_unfinished());
  return writer;
}

SplitWriter::~SplitWriter() {
  for (const std::string& path : made_) ::unlink(path.c_str());
}

std::string SplitWriter::path_of(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

// What --collect would take for results of this split.
base::Status SplitWriter::check_others() const {
  LLMROUTE_TRY(const std::vector<std::string> names, json_files(directory_));
  for (const std::string& name : names) {
    if (replaced_.contains(name)) continue;
    return Error{ErrorKind::kCannotCreate,
                 fmt::format("'{}' would be read as results of this split by "
                             "--collect; move it away",
                             path_of(name))};
  }
  return {};
}

base::Status SplitWriter::create_manifest() {
  const std::string path = path_of(kManifestName) + std::string(kNew);
  names_.insert(std::string(kManifestName));
  for (int i = 0; i < kMostAttempts; ++i) {
    LLMROUTE_TRY(const base::Descriptor before, lock_name(path));
    ::unlink(path.c_str());
    auto created = create_file(std::string(kManifestName));
    if (!created && (i > 0 || !base::file_exists(path))) return created.error();
    if (!created) continue;  // another may have been faster
    LLMROUTE_CHECK(lock_file((*created)->descriptor.get(), path));
    if (is_still((*created)->descriptor.get(), path)) {
      manifest_ = *std::move(created);
      return {};
    }
    made_.clear();  // not ours any more
  }
  return Error{ErrorKind::kTryLater, fmt::format("'{}' is in use", path)};
}

// What a killed split has left.
base::Status SplitWriter::remove_unfinished() {
  const bool unfinished = !base::file_exists(path_of(kManifestName));
  LLMROUTE_TRY(const std::vector<std::string> names,
               json_files(directory_, kNew));
  for (const std::string& name : names) {
    if (path_of(name) != made_.front()) ::unlink(path_of(name).c_str());
  }
  if (!unfinished) return {};
  for (const std::string& name : replaced_) ::unlink(path_of(name).c_str());
  return {};
}

base::Result<std::unique_ptr<SplitWriter::Out>> SplitWriter::create_file(
    const std::string& name) {
  const std::string path = path_of(name) + std::string(kNew);
  LLMROUTE_CHECK(check_target(path_of(name), ExistingOutput::kReplace));
  constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_EXCL;
  auto out = std::make_unique<Out>();
  out->name = name;
  out->descriptor = base::Descriptor(::open(path.c_str(), kFlags, 0600));
  if (!out->descriptor.valid() || ::fchmod(out->descriptor.get(), 0600) != 0) {
    return base::io_error(ErrorKind::kCannotCreate, "cannot create", path);
  }
  made_.push_back(path);
  return out;
}

// The model's file with room for another line.
base::Result<SplitWriter::Out*> SplitWriter::file_for(const core::Model& model,
                                                      size_t line_size) {
  std::unique_ptr<Out>& out = files_[model.name];
  if (out && out->lines < kMostLines && out->bytes + line_size <= kMostBytes) {
    return out.get();
  }
  if (out) LLMROUTE_CHECK(sync(*out));
  const std::string stem = safe_file_stem(model.name);
  std::string name = stem + ".jsonl";
  for (int n = 2; !names_.insert(base::to_lower_ascii(name)).second; ++n) {
    name = fmt::format("{}-{}.jsonl", stem, n);
  }
  LLMROUTE_TRY(out, create_file(name));
  return out.get();
}

base::Status SplitWriter::write(Out& out, std::string_view line) {
  out.buffer.append(line).append("\n");
  out.bytes += line.size() + 1;
  ++out.lines;
  return out.buffer.size() < kBuffered ? base::Status() : flush(out);
}

base::Status SplitWriter::flush(Out& out) {
  errno = base::write_all(out.descriptor.get(), out.buffer);
  if (errno != 0)
    return base::io_error(ErrorKind::kIo, "cannot write", path_of(out.name));
  out.buffer.clear();
  return {};
}

base::Status SplitWriter::sync(Out& out) {
  LLMROUTE_CHECK(flush(out));
  if (::fsync(out.descriptor.get()) == 0) return {};
  return base::io_error(ErrorKind::kIo, "cannot sync", path_of(out.name));
}

std::string SplitWriter::body_of(const Record& record,
                                 const SplitTarget& target) {
  JsonWriter json;
  json.begin_object().field("model", target.model.id);
  json.key("messages").raw(target.messages);
  write_parameters(json, record.prompt.parameters, target);
  for (const auto& [name, value] : target.form) json.key(name).raw(value);
  for (const auto& [name, value] : record.prompt.parameters.extra) {
    json.key(name);
    json_.is_value(value) ? json.raw(value) : json.value(value);
  }
  return json.end_object().take();
}

base::Status SplitWriter::add(const Record& record, const SplitTarget& target) {
  const std::string custom_id = custom_id_of(record);
  JsonWriter request;
  request.begin_object().field("custom_id", custom_id);
  request.field("method", "POST").field("url", "/v1/chat/completions");
  request.key("body").raw(body_of(record, target)).end_object();
  LLMROUTE_TRY(Out * out, file_for(target.model, request.text().size() + 1));
  LLMROUTE_CHECK(write(*out, request.text()));
  JsonWriter line = manifest_line(record);
  line.field("custom_id", custom_id).field("model", target.model.name);
  line.field("provider", target.provider.name).field("route", target.route);
  line.field("source", target.source).field("file", out->name);
  const core::Parameters& asked = record.prompt.parameters;
  if (asked.max_tokens) line.field("max_tokens", *asked.max_tokens);
  if (!asked.schema.empty()) line.key("schema").raw(asked.schema);
  if (!asked.tools.empty()) {
    line.field("tools", true);
    write_tool_choice(line, asked.tool_choice);
  }
  line.key("error").null().end_object();
  return write(*manifest_, line.text());
}

base::Status SplitWriter::add_unasked(const Record& record,
                                      const Result& result) {
  JsonWriter line = manifest_line(record);
  line.key("error").begin_object().field("code", result.error->code);
  line.field("message", result.error->message).end_object().end_object();
  return write(*manifest_, line.text());
}

// What was there before goes, its manifest last; then the new names come, again
// the manifest last. A failure after that leaves what a kill would: the next
// split finds the new manifest and knows what is its own.
base::Status SplitWriter::finish() {
  for (const auto& [model, out] : files_) LLMROUTE_CHECK(sync(*out));
  LLMROUTE_CHECK(sync(*manifest_));
  // Taken for results, they would be damage.
  for (const std::string& name : replaced_) {
    const std::string path = path_of(name);
    const bool again =
        std::ranges::find(made_, path + std::string(kNew)) != made_.end();
    if (!again) ::unlink(path.c_str());
  }
  ::unlink(path_of(kManifestName).c_str());
  const std::vector<std::string> made = std::exchange(made_, {});
  LLMROUTE_CHECK(base::sync_directory_of(path_of(kManifestName)));
  for (size_t i = made.size(); i-- > 0;) {
    const std::string path = made[i].substr(0, made[i].size() - kNew.size());
    if (i == 0) LLMROUTE_CHECK(base::sync_directory_of(path));
    if (std::rename(made[i].c_str(), path.c_str()) != 0) {
      return base::io_error(ErrorKind::kIo, "cannot write", path);
    }
  }
  return base::sync_directory_of(path_of(kManifestName));
}

}  // namespace llmroute::batch
