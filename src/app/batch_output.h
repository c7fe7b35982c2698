// Where the result lines of a batch go: OUT or stdout, and perhaps a file for
// those that failed.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "app/options.h"
#include "base/result.h"
#include "batch/order.h"
#include "batch/output_digest.h"
#include "batch/part_file.h"

namespace llmroute::app {

// One thread.
class BatchOutput {
 public:
  // Creates what is to be written, before anything is asked: kCannotCreate.
  // `stop` ends a write to stdout that blocks; borrowed.
  static base::Result<BatchOutput> open(const BatchOutputOptions& options,
                                        batch::ExistingOutput existing,
                                        const std::atomic<bool>* stop);

  // Buffered until flush(). Failed: kIo.
  base::Status write(const batch::FinishedLine& line);
  // Hands on what is buffered. Failed: kIo; see also reader_gone().
  base::Status flush();
  // OUT takes its name. Nothing if the lines went to stdout. Ends the object's
  // use.
  base::Result<std::optional<batch::OutputDigest>> publish();

  bool to_stdout() const { return !out_; }
  bool reader_gone() const { return reader_gone_; }

 private:
  BatchOutput() = default;

  std::optional<batch::PartFile> out_, errors_;
  std::string pending_;  // for stdout
  const std::atomic<bool>* stop_ = nullptr;
  bool reader_gone_ = false;
};

// The file of -o; nothing: stdout.
std::optional<std::string> output_file(const BatchOutputOptions& options);

}  // namespace llmroute::app
