#include "app/batch_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "app/batch_output.h"
#include "base/files.h"
#include "base/paths.h"
#include "batch/collect.h"
#include "batch/split.h"

namespace llmroute::app {
namespace {

using base::Status;
using batch::FileIdentity;

// A file that a run writes or takes the place of.
struct WrittenFile {
  explicit WrittenFile(std::string path)
      : given(std::move(path)), name(base::one_name(given)) {
    struct stat status {};
    if (::stat(given.c_str(), &status) == 0) look_at(status);
  }
  static WrittenFile of_stdout() {
    WrittenFile file("/dev/stdout");
    file.given = "stdout";
    struct stat status {};
    if (::fstat(STDOUT_FILENO, &status) == 0) file.look_at(status);
    return file;
  }
  void look_at(const struct stat& status) {
    is_file = S_ISREG(status.st_mode);
    is_device =
        S_ISCHR(status.st_mode) || (!is_file && given.starts_with("/dev/"));
    identity = {status.st_dev, status.st_ino};
  }
  bool is(const WrittenFile& other) const {
    return name == other.name ||
           (is_file && other.is_file && identity == other.identity);
  }

  std::string given, name;
  FileIdentity identity;
  bool is_file = false, is_device = false;
};

std::vector<WrittenFile> written_files(const BatchOutputOptions& output) {
  std::vector<WrittenFile> files;
  const auto out = output_file(output);
  if (!out || output.errors == kStdout || output.summary == kStdout) {
    files.push_back(WrittenFile::of_stdout());
  }
  for (const auto& file : {out, output.errors}) {
    if (!file || file == kStdout) continue;
    files.emplace_back(*file);
    files.emplace_back(base::resolve_links(*file) + ".part");
  }
  if (output.journal) files.emplace_back(*output.journal);
  if (out && !output.journal) files.emplace_back(*out + ".llmroute-journal");
  if (output.summary && output.summary != kStdout) {
    files.emplace_back(*output.summary);
  }
  return files;
}

base::Error also_the_input(const std::string& file) {
  return {base::ErrorKind::kCannotCreate, file + " is also the input"};
}

Status check_inputs(std::span<const FileIdentity> inputs,
                    const std::vector<WrittenFile>& files) {
  for (const WrittenFile& file : files) {
    if (file.is_file &&
        std::ranges::find(inputs, file.identity) != inputs.end()) {
      return also_the_input(file.given);
    }
  }
  return {};
}

// What --collect may read of a directory, and --split may write.
std::vector<WrittenFile> files_of(const std::string& directory) {
  std::vector<std::string> names = {std::string(batch::kManifestName)};
  for (const char* behind : {"", ".llmroute-new"}) {
    if (const auto found = batch::json_files(directory, behind)) {
      names.insert(names.end(), found->begin(), found->end());
    }
  }
  std::vector<WrittenFile> files;
  files.reserve(names.size());
  for (const std::string& name : names) {
    files.emplace_back(fmt::format("{}/{}", directory, name));
  }
  return files;
}

}  // namespace

Status check_outputs(std::span<const FileIdentity> inputs,
                     const BatchOutputOptions& output) {
  const int on_stdout = !output_file(output) + (output.errors == kStdout) +
                        (output.summary == kStdout);
  if (on_stdout > 1) {
    return base::Error{base::ErrorKind::kUsage,
                       "stdout would be written as two things"};
  }
  const std::vector<WrittenFile> files = written_files(output);
  LLMROUTE_CHECK(check_inputs(inputs, files));
  for (auto one = files.begin(); one != files.end(); ++one) {
    const auto twice = std::find_if(
        one + 1, files.end(),
        [one](const WrittenFile& other) { return one->is(other); });
    if (twice == files.end() || twice->is_device) continue;
    return base::Error{base::ErrorKind::kUsage,
                       "'" + twice->given + "' would be written as two things"};
  }
  return {};
}

Status check_split(std::span<const FileIdentity> inputs,
                   const std::string& directory) {
  return check_inputs(inputs, files_of(directory));
}

Status check_collect(const std::string& directory,
                     const BatchOutputOptions& output) {
  std::vector<FileIdentity> inputs;
  for (const WrittenFile& file : files_of(directory)) {
    if (file.is_file) inputs.push_back(file.identity);
  }
  LLMROUTE_CHECK(check_outputs(inputs, output));
  const std::string read = base::one_name(directory) + "/";
  for (const WrittenFile& file : written_files(output)) {
    if (base::parent_directory(file.name) + "/" == read &&
        file.name.ends_with(".jsonl")) {
      return base::Error{
          base::ErrorKind::kCannotCreate,
          fmt::format("'{}' would be read as results of the queues",
                      file.given)};
    }
  }
  return {};
}

}  // namespace llmroute::app
