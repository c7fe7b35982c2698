#include "app/batch_output.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/files.h"
#include "base/terminal_text.h"

namespace llmroute::app {
namespace {

using base::Result;
using base::Status;

constexpr size_t kMostPending = size_t{1} << 20;

}  // namespace

std::optional<std::string> output_file(const BatchOutputOptions& options) {
  return options.file == "-" ? std::nullopt : options.file;
}

Result<BatchOutput> BatchOutput::open(const BatchOutputOptions& options,
                                      batch::ExistingOutput existing,
                                      const std::atomic<bool>* stop) {
  BatchOutput output;
  output.stop_ = stop;
  if (const auto file = output_file(options)) {
    LLMROUTE_TRY(batch::PartFile part,
                 batch::PartFile::create(*file, existing));
    output.out_.emplace(std::move(part));
  }
  if (options.errors) {
    LLMROUTE_TRY(batch::PartFile part,
                 batch::PartFile::create(*options.errors, existing));
    output.errors_.emplace(std::move(part));
  }
  return output;
}

Status BatchOutput::write(const batch::FinishedLine& line) {
  if (!line.ok && errors_) return errors_->write_line(line.text);
  if (out_) return out_->write_line(line.text);
  pending_ += line.text;
  pending_ += '\n';
  return pending_.size() < kMostPending ? Status() : flush();
}

Status BatchOutput::flush() {
  if (errors_) LLMROUTE_CHECK(errors_->flush());
  if (out_) return out_->flush();
  if (pending_.empty()) return {};
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const std::string text =
      terminal ? base::visible_text(pending_) : std::exchange(pending_, {});
  pending_.clear();
  const int error = base::write_all(STDOUT_FILENO, text, stop_);
  if (error == 0) return {};
  reader_gone_ = error == EPIPE;
  return base::Error{base::ErrorKind::kIo,
                     "writing to stdout: " + base::errno_text(error)};
}

Result<std::optional<batch::OutputDigest>> BatchOutput::publish() {
  LLMROUTE_CHECK(flush());
  if (errors_) {
    const auto published = errors_->publish();
    if (!published) return published.error();
  }
  if (!out_) return std::optional<batch::OutputDigest>();
  LLMROUTE_TRY(batch::OutputDigest digest, out_->publish());
  return std::optional(std::move(digest));
}

}  // namespace llmroute::app
