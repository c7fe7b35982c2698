// stdout and -o: the answer and nothing else.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/options.h"
#include "base/fence.h"
#include "base/files.h"
#include "base/result.h"
#include "base/terminal_text.h"

namespace llmroute::app {

// Writes a whole document to stdout. Fails with kIo (disk full); a reader that
// went away ends the process by SIGPIPE. On a terminal outside text must have
// been made visible by the caller.
base::Status print_document(std::string_view text);
// The same of a text that is made visible here.
base::Status print_text(const std::string& text);

// Replaces a file, or prints the bytes if it is "-".
base::Status write_result(const std::string& path, std::string_view bytes,
                          unsigned mode = 0666);
// What goes with results: to stdout, or, if a result is there, to stderr unless
// --quiet.
base::Status print_report(const std::string& text, bool stdout_taken,
                          const MessageOptions& messages);

// kCannotCreate if a file would be written over one that is read, or twice.
// Files that may be missing are not there; "-" is stdin or stdout.
base::Status check_apart(const std::vector<std::optional<std::string>>& written,
                         const std::vector<std::string>& read);

// kUsage if standard input is to be read twice.
base::Status check_read_once(const std::vector<std::string>& read);

// Takes the answer as it streams. To stdout each piece is one write; with -o or
// when buffering, nothing is written before finish(). With --extract only the
// first fenced block is answer text; with --format jsonl each piece is an
// event. One thread.
class AnswerOutput {
 public:
  // `hold`: keep everything until finish(), so that a fallback can start clean.
  // `stop`: ends a write that blocks; borrowed, may be null. The file of -o is
  // created here, before anything is asked or paid for: kCannotCreate.
  static base::Result<AnswerOutput> open(const OutputOptions& options,
                                         bool hold,
                                         const std::atomic<bool>* stop);

  // False: stop, the output is broken (see failure()).
  bool write(std::string_view text);
  // Forgets what is held, for the next candidate. REQUIRES: printed_bytes() ==
  // 0.
  void discard();
  // What is held becomes this, as if it had been written.
  void rewrite(std::string_view text) {
    discard();
    write(text);
  }
  // Writes what is held and a final newline if missing, or the whole of -o by
  // rename.
  base::Status finish();
  // Instead of the held text, for --json.
  base::Status finish_with(std::string_view document);
  // A line of its own after the text, which is not made of it.
  void add_line(const std::string& line);
  // A line that is not answer text, for --format jsonl; with -o it is kept
  // until finish().
  void event(std::string_view line);

  // Ends the line on a terminal, so that a message does not continue it.
  void end_line();

  bool events() const { return events_; }
  bool to_file() const { return file_.has_value(); }
  // Its file takes the place of an old one: no FIFO, no device.
  bool replaces() const { return file_ && !file_->in_place(); }
  // With --extract: no block was in the answer, of which nothing was printed.
  bool nothing_extracted() const { return extract_ && !fence_.found(); }
  // With --json: what is held, so far as it is answer text.
  std::string extracted() { return held_ + fence_.finish(); }
  size_t printed_bytes() const { return printed_; }  // of the answer, on stdout
  bool reader_gone() const { return errno_ != 0 && reader_gone_; }
  bool broken() const { return errno_ != 0; }
  base::Status failure() const;

 private:
  AnswerOutput() = default;
  bool put(std::string_view text);
  bool put_text(std::string_view text);

  std::optional<base::ReplacementFile> file_;  // nothing: stdout
  const std::atomic<bool>* stop_ = nullptr;
  bool hold_ = false;
  bool terminal_ = false;  // text goes to one
  bool filtered_ = false;
  base::TerminalFilter filter_;
  std::string held_;
  bool events_ = false;  // text goes out as events
  bool extract_ = false;
  base::FenceFilter fence_;
  size_t printed_ = 0;
  char last_ = '\n';
  int errno_ = 0;
  bool reader_gone_ = false;
};

}  // namespace llmroute::app
