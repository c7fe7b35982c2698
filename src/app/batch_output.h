// Where the result lines of a batch go: OUT or stdout, and perhaps a file for
// those that failed.
#pragma once

#include <atomic>
#include <chrono>
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
  // When `stop` becomes true, a reader of stdout that is slow is waited for no
  // longer than a second, in all; borrowed.
  static base::Result<BatchOutput> open(const BatchOutputOptions& options,
                                        batch::ExistingOutput existing,
                                        batch::ExistingOutput existing_errors,
                                        const std::atomic<bool>* stop);

  // Buffered until flush(). Failed: kIo.
  base::Status write(const batch::FinishedLine& line);
  // Hands on what is buffered. Failed: kIo; see also reader_gone().
  base::Status flush();
  // OUT takes its name. Nothing if the lines went to stdout, a FIFO or a
  // device. Ends the object's use.
  base::Result<std::optional<batch::OutputDigest>> publish();

  bool to_stdout() const { return !out_ || errors_to_stdout_; }
  bool reader_gone() const { return reader_gone_; }
  // The reader of stdout went away while nothing was written.
  base::Error lose_reader();

 private:
  BatchOutput() = default;
  base::Status write_stdout(std::string_view text);
  base::Error stdout_error(int error);
  bool wait_for_reader();

  std::optional<batch::PartFile> out_, errors_;
  bool errors_to_stdout_ = false;
  std::string pending_;  // for stdout
  const std::atomic<bool>* stop_ = nullptr;
  // Of the waiting for a slow reader, once `stop` is true.
  std::optional<std::chrono::steady_clock::time_point> patience_;
  bool reader_gone_ = false;
};

// The file of -o; nothing: stdout.
std::optional<std::string> output_file(const BatchOutputOptions& options);

}  // namespace llmroute::app
