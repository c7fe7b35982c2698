#include "app/output.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "app/interrupt.h"
#include "app/terminal.h"
#include "base/files.h"
#include "base/json_writer.h"

namespace llmroute::app {
namespace {

base::Error write_error(int error) {
  return {base::ErrorKind::kIo,
          fmt::format("cannot write to stdout: {}", base::errno_text(error))};
}

}  // namespace

base::Status print_document(std::string_view text) {
  const int error = base::write_all(STDOUT_FILENO, text);
  if (error == EPIPE) die_by_signal(SIGPIPE);
  if (error != 0) return write_error(error);
  return {};
}

base::Status print_text(const std::string& text) {
  return print_document(stdout_is_terminal() ? base::visible_text(text) : text);
}

base::Status write_result(const std::string& path, std::string_view bytes,
                          unsigned mode) {
  return path == "-" ? print_document(bytes)
                     : base::replace_file(path, bytes, mode);
}

base::Status print_report(const std::string& text, bool stdout_taken,
                          const MessageOptions& messages) {
  if (!stdout_taken) return print_document(text);
  if (!messages.quiet) (void)base::write_all(STDERR_FILENO, text);
  return {};
}

base::Status check_apart(const std::vector<std::optional<std::string>>& written,
                         const std::vector<std::string>& read) {
  const auto refused = [](const std::string& path, const char* why) {
    return base::Error{base::ErrorKind::kCannotCreate, path + why};
  };
  for (size_t i = 0; i < written.size(); ++i) {
    if (!written[i]) continue;
    for (const std::string& input : read) {
      if (*written[i] != "-" && input != "-" &&
          base::same_file(*written[i], input)) {
        return refused(*written[i], " is also the input");
      }
    }
    for (size_t j = 0; j < i; ++j) {
      if (written[j] && (*written[i] == *written[j] ||
                         base::same_file(*written[i], *written[j]))) {
        return refused(*written[i], " would be written twice");
      }
    }
  }
  return {};
}

base::Status check_read_once(const std::vector<std::string>& read) {
  if (std::count(read.begin(), read.end(), "-") < 2) return {};
  return base::Error{base::ErrorKind::kUsage,
                     "'-' is named twice; standard input can be read once"};
}

base::Result<AnswerOutput> AnswerOutput::open(const OutputOptions& options,
                                              bool hold,
                                              const std::atomic<bool>* stop) {
  AnswerOutput output;
  const std::string path = options.file.value_or("-");
  if (path != "-" && path != "/dev/stdout") {
    LLMROUTE_TRY(base::ReplacementFile file,
                 base::ReplacementFile::create(path));
    output.file_.emplace(std::move(file));
  }
  output.stop_ = stop;
  output.hold_ = hold || output.to_file();
  output.events_ = options.format == Format::kJsonl;
  output.extract_ = options.extract;
  output.terminal_ = !output.to_file() && stdout_is_terminal();
  output.filtered_ = options.sanitize == Sanitize::kAlways ||
                     (options.sanitize == Sanitize::kAuto && output.terminal_);
  return output;
}

bool AnswerOutput::put(std::string_view text) {
  if (text.empty()) return true;
  errno_ = filtered_ ? base::write_all(STDOUT_FILENO, filter_.feed(text), stop_)
                     : base::write_all(STDOUT_FILENO, text, stop_);
  reader_gone_ = errno_ == EPIPE;
  if (errno_ != 0) return false;
  printed_ += text.size();
  last_ = text.back();
  return true;
}

bool AnswerOutput::put_text(std::string_view text) {
  if (text.empty()) return true;
  if (events_) {
    base::JsonWriter json;
    json.begin_object().field("event", "delta").field("text", text);
    const std::string line = json.end_object().take() + "\n";
    if (hold_) {
      held_ += line;
      return true;
    }
    const size_t before = printed_;
    const bool written = put(line);
    if (written) printed_ = before + text.size();
    return written;
  }
  if (!hold_) return put(text);
  held_ += text;
  return true;
}

bool AnswerOutput::write(std::string_view text) {
  return extract_ ? put_text(fence_.feed(text)) : put_text(text);
}

void AnswerOutput::discard() {
  fence_ = {};
  if (!events_) held_.clear();
}

void AnswerOutput::add_line(const std::string& line) {
  const char before = !hold_ ? last_ : held_.empty() ? '\n' : held_.back();
  const std::string text = (before == '\n' ? "" : "\n") + line + "\n";
  if (hold_) {
    held_ += text;
  } else {
    put(text);
  }
}

void AnswerOutput::event(std::string_view line) {
  if (hold_) {
    held_ += line;
    return;
  }
  const size_t before = printed_;
  put(line);
  printed_ = before;
}

void AnswerOutput::end_line() {
  if (terminal_ && errno_ == 0 && last_ != '\n') put("\n");
}

base::Status AnswerOutput::finish() {
  if (extract_) put_text(fence_.finish());
  if (to_file()) {
    if (held_.empty() || held_.back() != '\n') held_ += '\n';
    return file_->commit(held_);
  }
  if (put(held_) && printed_ > 0 && last_ != '\n') put("\n");
  return failure();
}

base::Status AnswerOutput::finish_with(std::string_view document) {
  if (to_file()) return file_->commit(document);
  put(document);
  return failure();
}

base::Status AnswerOutput::failure() const {
  if (errno_ == 0) return {};
  return write_error(errno_);
}

}  // namespace llmroute::app
