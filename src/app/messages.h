// Messages to the person: one line each on stderr, prefixed "llmroute: ".
// Outside text in them is made visible and keys are removed. A failing stderr
// is ignored: it never changes the exit status.
#pragma once

#include <string>
#include <string_view>

#include "app/options.h"

namespace llmroute::app {

// From here on every occurrence of `secret` (plain, URL-encoded, base64, hex)
// in a message is shown as "[key]".
void redact_in_messages(const std::string& secret);

// Takes away the line of Messages::status(), before the same terminal gets
// something else.
void clear_status();
std::string redacted(std::string text);

class Messages {
 public:
  explicit Messages(const MessageOptions& options) : options_(options) {}

  void error(std::string_view text) const;  // always
  void warn(std::string_view text) const;   // unless --quiet
  void note(std::string_view text)
      const;  // asked for (--show-route, --stats): always
  void detail(std::string_view text) const;  // with --verbose
  void trace(std::string_view text) const;   // with --verbose twice
  bool traces() const { return options_.verbose > 1; }

  // A line that the next one replaces, where stderr is a terminal: "" takes it
  // away, and so does any message. Not filtered, not redacted: our own words.
  void status(std::string_view text) const;
  // A line as it is, for programs. Unless --quiet.
  void line(std::string_view text) const;

 private:
  MessageOptions options_;
};

}  // namespace llmroute::app
