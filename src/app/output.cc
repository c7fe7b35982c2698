#include "app/output.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "app/interrupt.h"
#include "base/files.h"

namespace llmroute::app {
namespace {

base::Error write_error(int error) {
  return {base::ErrorKind::kIo,
          fmt::format("cannot write to stdout: {}", base::errno_text(error))};
}

}  // namespace

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) != 0; }

base::Status print_document(std::string_view text) {
  const int error = base::write_all(STDOUT_FILENO, text);
  if (error == EPIPE) die_by_signal(SIGPIPE);
  if (error != 0) return write_error(error);
  return {};
}

AnswerOutput::AnswerOutput(const OutputOptions& options, bool hold)
    : file_(options.file.value_or("-") == "-" ? "" : *options.file),
      hold_(hold || !file_.empty()),
      filter_terminal_(file_.empty() && stdout_is_terminal()) {}

bool AnswerOutput::put(std::string_view text) {
  if (text.empty()) return true;
  if (filter_terminal_) {
    errno_ = base::write_all(STDOUT_FILENO, filter_.feed(text));
  } else {
    errno_ = base::write_all(STDOUT_FILENO, text);
  }
  reader_gone_ = errno_ == EPIPE;
  if (errno_ != 0) return false;
  printed_ += text.size();
  last_ = text.back();
  return true;
}

bool AnswerOutput::write(std::string_view text) {
  if (!hold_) return put(text);
  held_ += text;
  return true;
}

base::Status AnswerOutput::finish() {
  if (!file_.empty()) {
    if (held_.empty() || held_.back() != '\n') held_ += '\n';
    return base::replace_file(file_, held_);
  }
  if (put(held_) && printed_ > 0 && last_ != '\n') put("\n");
  return failure();
}

base::Status AnswerOutput::finish_with(std::string_view document) {
  if (!file_.empty()) return base::replace_file(file_, document);
  put(document);
  return failure();
}

base::Status AnswerOutput::failure() const {
  if (errno_ == 0) return {};
  return write_error(errno_);
}

}  // namespace llmroute::app
