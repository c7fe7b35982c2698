// `--collect`: results that providers' queues made of the files of `--split`,
// back in input order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "batch/result_line.h"
#include "core/money.h"
#include "core/reply.h"

namespace llmroute::batch {

struct CollectOptions {
  ResultOptions result;  // `echo` has no effect: the input is not kept
  // What an answer of a model, by name, cost; may be empty: not known.
  std::function<std::optional<core::Money>(const std::string& model,
                                           const core::Usage& usage)>
      cost;
  // Whether an answer is whole, and what its record asked for; may be empty:
  // it is.
  std::function<base::Status(const core::Parameters& asked,
                             const core::Reply& reply)>
      check;
};

struct CollectCounts {
  int64_t ok = 0, failed = 0;
  int64_t missing = 0;  // of the failed: no result was there
  int64_t stray = 0;    // results of no record of the manifest
};

// Names of the files of requests that a manifest has, as far as it can be read.
std::set<std::string> named_files(const std::string& manifest);

// Names, in order, of the files in a directory that are read as a manifest's
// requests or their results; with `behind`, of those that end in ".jsonl" and
// that. No directory: kNoInput.
base::Result<std::vector<std::string>> json_files(const std::string& directory,
                                                  std::string_view behind = "");

// `ok`: the record has its answer.
using LineSink = std::function<base::Status(std::string_view line, bool ok)>;

// Hands a result line to `sink` for each line of DIR/manifest.jsonl. Every
// other *.jsonl file in DIR that the manifest does not name as a file of
// requests is read as results: a success counts before a failure, else the
// last. Memory: some 150 bytes a result. No manifest: kNoInput. A file that
// holds something else: kData, naming file and line. Errors of the sink are
// passed on.
base::Result<CollectCounts> collect(const std::string& directory,
                                    const CollectOptions& options,
                                    const LineSink& sink);

}  // namespace llmroute::batch
