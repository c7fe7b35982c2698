// `--split`: the records of a batch as request files of the OpenAI Batch API,
// one model a file, for providers' half-price queues.
//
//   DIR/<model>.jsonl   {"custom_id","method","url","body"}; after 50,000 lines
//                       or 200 MB, what a queue takes, <model>-2.jsonl follows
//   DIR/manifest.jsonl  a line a record, in input order: {"line","id",
//                       "custom_id","form","model","provider","route","source",
//                       "file","meta","schema","tools","tool_choice",
//                       "parallel_tool_calls","error"};
//                       batch/collect.h reads it. It appears when all is
//                       written; until then every name ends in .llmroute-new.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "batch/json_line.h"
#include "batch/record.h"
#include "batch/result_line.h"
#include "core/model.h"

namespace llmroute::batch {

inline constexpr std::string_view kManifestName = "manifest.jsonl";

// Where a record was routed.
struct SplitTarget {
  const core::Model& model;
  const core::Provider& provider;
  std::string route, source;
  // The body's messages; what it says of tools and of the answer's form. JSON.
  std::string messages = "[]";
  std::vector<std::pair<std::string, std::string>> form = {};
};

// One thread. Until finish() what was made is removed again at the end.
class SplitWriter {
 public:
  // Creates the directory if there is none, and removes what a killed split
  // left there. kCannotCreate: a manifest is there already, but for `force`; a
  // file is there that would be read as results; nothing can be created.
  // kTryLater: another process splits into it. finish() removes the manifest
  // before and the requests that it named. No links are followed.
  static base::Result<SplitWriter> create(const std::string& directory,
                                          bool force);
  SplitWriter(SplitWriter&&) noexcept = default;
  SplitWriter& operator=(SplitWriter&&) = delete;
  ~SplitWriter();

  // Records in input order, their ids unique. Failed writes: kIo.
  base::Status add(const Record& record, const SplitTarget& target);
  // A record that is not asked: `result` holds an error.
  base::Status add_unasked(const Record& record, const Result& result);
  base::Status finish();

 private:
  struct Out {
    std::string name;
    base::Descriptor descriptor;
    std::string buffer;  // not written yet
    int64_t lines = 0;
    size_t bytes = 0;
  };

  explicit SplitWriter(std::string directory)
      : directory_(std::move(directory)) {}
  std::string path_of(std::string_view name) const;
  base::Status check_others() const;
  base::Status create_manifest();
  base::Status remove_unfinished();
  base::Result<std::unique_ptr<Out>> create_file(const std::string& name);
  base::Result<Out*> file_for(const core::Model& model, size_t line_size);
  base::Status write(Out& out, std::string_view line);
  base::Status flush(Out& out);
  base::Status sync(Out& out);
  std::string body_of(const Record& record, const SplitTarget& target);

  std::string directory_;
  JsonLine json_;
  std::unique_ptr<Out> manifest_;
  std::map<std::string, std::unique_ptr<Out>> files_;  // by Model::name
  std::set<std::string> names_;                        // taken, in lower case
  std::vector<std::string> made_;   // paths, the manifest's first
  std::set<std::string> replaced_;  // names that the manifest before had
};

// `name` as the stem of a file's name: letters, digits, '-', '_' and '.', no
// '.' at the front, 1 to 100 bytes.
std::string safe_file_stem(std::string_view name);

// The record's own id if a queue takes it (1 to 64 printable bytes), else
// "line-N". Different for records whose own ids are.
std::string custom_id_of(const Record& record);

}  // namespace llmroute::batch
