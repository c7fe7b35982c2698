#include "app/messages.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/files.h"
#include "base/sha256.h"
#include "base/terminal_text.h"

namespace llmroute::app {
namespace {

// Forms in which a key could leave. Filled once a key is resolved, which is
// before any message could hold it, on the main thread. Others write messages
// where no key is resolved only.
std::vector<std::string>& forms() {
  static std::vector<std::string> all;
  return all;
}

std::string hex_of(const std::string& text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  return base::hex({bytes, text.size()});
}

std::string url_encoded(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[static_cast<unsigned char>(c) >> 4];
      encoded += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return encoded;
}

std::string base64_of(const std::string& text) {
  constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) {
      encoded += kAlphabet[(bits >> (held - 6)) & 63];
    }
  }
  return encoded;  // without the last partial group: a prefix is enough to find
}

void replace_all(std::string& text, const std::string& what) {
  constexpr std::string_view kShown = "[key]";
  for (size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + kShown.size())) {
    text.replace(at, what.size(), kShown);
  }
}

// Whether a status line stands at the cursor. `bench` writes messages on two
// threads.
std::atomic<bool> status_drawn{false};
constexpr std::string_view kClearLine = "\r\x1b[K";

std::string cleared_status() {
  return status_drawn.exchange(false) ? std::string(kClearLine) : std::string();
}

void put_line(std::string_view text) {
  const std::string line =
      cleared_status() +
      "llmroute: " + base::visible_line(redacted(std::string(text))) + "\n";
  (void)base::write_all(STDERR_FILENO, line);
}

}  // namespace

void clear_status() {
  if (status_drawn) (void)base::write_all(STDERR_FILENO, cleared_status());
}

void redact_in_messages(const std::string& secret) {
  constexpr size_t kShortest = 6;  // shorter ones would remove ordinary words
  if (secret.size() < kShortest) return;
  for (std::string form :
       {secret, url_encoded(secret), base64_of(secret), hex_of(secret)}) {
    forms().push_back(std::move(form));
  }
}

std::string redacted(std::string text) {
  for (const std::string& form : forms()) replace_all(text, form);
  return text;
}

void Messages::error(std::string_view text) const { put_line(text); }

void Messages::warn(std::string_view text) const {
  if (!options_.quiet) put_line(text);
}

void Messages::note(std::string_view text) const { put_line(text); }

void Messages::status(std::string_view text) const {
  std::string drawn = cleared_status();
  drawn += text;
  status_drawn = !text.empty();
  if (!drawn.empty()) (void)base::write_all(STDERR_FILENO, drawn);
}

void Messages::line(std::string_view text) const {
  if (options_.quiet) return;
  (void)base::write_all(STDERR_FILENO,
                        cleared_status() + std::string(text) + "\n");
}

void Messages::trace(std::string_view text) const {
  if (traces()) put_line(text);
}

void Messages::detail(std::string_view text) const {
  if (options_.verbose > 0) put_line(text);
}

}  // namespace llmroute::app
