#include "app/batch_output.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "app/batch_files.h"
#include "app/messages.h"
#include "base/files.h"
#include "base/terminal_text.h"

namespace llmroute::app {
namespace {

using base::Result;
using base::Status;

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kMostPending = size_t{1} << 20;
constexpr milliseconds kPatience{1000};

}  // namespace

std::optional<std::string> output_file(const BatchOutputOptions& options) {
  return options.file == kStdout ? std::nullopt : options.file;
}

Result<BatchOutput> BatchOutput::open(const BatchOutputOptions& options,
                                      batch::ExistingOutput existing,
                                      batch::ExistingOutput existing_errors,
                                      const std::atomic<bool>* stop) {
  // Both before anything is created.
  if (const auto file = output_file(options)) {
    LLMROUTE_CHECK(batch::check_target(*file, existing));
  }
  if (options.errors && options.errors != kStdout) {
    LLMROUTE_CHECK(batch::check_target(*options.errors, existing_errors));
  }
  BatchOutput output;
  output.stop_ = stop;
  if (const auto file = output_file(options)) {
    LLMROUTE_TRY(batch::PartFile part,
                 batch::PartFile::create(*file, existing));
    output.out_.emplace(std::move(part));
  }
  output.errors_to_stdout_ = options.errors == kStdout;
  if (options.errors && !output.errors_to_stdout_) {
    LLMROUTE_TRY(batch::PartFile part,
                 batch::PartFile::create(*options.errors, existing_errors));
    output.errors_.emplace(std::move(part));
  }
  return output;
}

Status BatchOutput::write(const batch::FinishedLine& line) {
  if (!line.ok && errors_) return errors_->write_line(line.text);
  const bool to_stdout = !out_ || (!line.ok && errors_to_stdout_);
  if (!to_stdout) return out_->write_line(line.text);
  pending_ += line.text;
  pending_ += '\n';
  return pending_.size() < kMostPending ? Status() : flush();
}

Status BatchOutput::flush() {
  if (errors_) LLMROUTE_CHECK(errors_->flush());
  if (out_) LLMROUTE_CHECK(out_->flush());
  if (pending_.empty()) return {};
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  if (terminal) clear_status();
  const std::string text =
      terminal ? base::visible_text(pending_) : std::exchange(pending_, {});
  pending_.clear();
  return write_stdout(text);
}

// Asked to stop, it writes as much at a time as does not block, and gives up
// when the reader is too slow: it ends as a signal death, so that is no error.
Status BatchOutput::write_stdout(std::string_view text) {
  while (!text.empty()) {
    const bool stopping = stop_ != nullptr && stop_->load();
    if (stopping && !wait_for_reader()) return {};
    const size_t size =
        stopping ? std::min<size_t>(text.size(), PIPE_BUF) : text.size();
    const ssize_t put = ::write(STDOUT_FILENO, text.data(), size);
    if (put >= 0) {
      text.remove_prefix(static_cast<size_t>(put));
    } else if (errno == EAGAIN) {
      pollfd one{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&one, 1, stopping ? 0 : -1);
    } else if (errno != EINTR) {
      return stdout_error(errno);
    }
  }
  return {};
}

bool BatchOutput::wait_for_reader() {
  const auto now = steady_clock::now();
  if (!patience_) patience_ = now + kPatience;
  const auto left = std::chrono::ceil<milliseconds>(*patience_ - now);
  pollfd one{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&one, 1, static_cast<int>(std::max<int64_t>(0, left.count()))) >
         0;
}

base::Error BatchOutput::stdout_error(int error) {
  reader_gone_ = error == EPIPE;
  return {base::ErrorKind::kIo,
          "writing to stdout: " + base::errno_text(error)};
}

base::Error BatchOutput::lose_reader() { return stdout_error(EPIPE); }

Result<std::optional<batch::OutputDigest>> BatchOutput::publish() {
  LLMROUTE_CHECK(flush());
  if (errors_) {
    const auto published = errors_->publish();
    if (!published) return published.error();
  }
  if (!out_) return std::optional<batch::OutputDigest>();
  const bool keeps_nothing = out_->in_place();
  LLMROUTE_TRY(batch::OutputDigest digest, out_->publish());
  if (keeps_nothing) return std::optional<batch::OutputDigest>();
  return std::optional(std::move(digest));
}

}  // namespace llmroute::app
