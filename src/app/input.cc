#include "app/input.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/files.h"
#include "base/text.h"
#include "base/utf8.h"
#include "core/json_schema.h"
#include "core/tool_list.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// Waits for a byte or the end of stdin. True: there is one.
bool stdin_ready(std::chrono::milliseconds limit) {
  pollfd one{STDIN_FILENO, POLLIN, 0};
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    const int ready =
        ::poll(&one, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

Result<std::string> read_stdin(const InputOptions& input, bool has_instruction,
                               const Messages& messages) {
  constexpr std::chrono::milliseconds kNoticeAfter{3000};
  if (input.stdin_timeout) {
    if (!stdin_ready(*input.stdin_timeout)) {
      return Error{ErrorKind::kNoInput, "stdin gave nothing in time"};
    }
  } else if (has_instruction && !stdin_ready(kNoticeAfter)) {
    messages.warn("waiting for stdin (use --no-stdin or </dev/null)");
  }
  LLMROUTE_TRY(std::string text,
               base::read_all(STDIN_FILENO, kMostInput, "stdin"));
  // Of a command before us that printed nothing, or failed.
  struct stat info {};
  if (text.empty() && has_instruction && ::fstat(STDIN_FILENO, &info) == 0 &&
      S_ISFIFO(info.st_mode)) {
    messages.warn(
        "nothing came on stdin; the instruction goes alone (--no-stdin says "
        "so)");
  }
  return text;
}

// `text` as it may be sent: valid UTF-8 without NUL.
Result<std::string> checked_text(std::string text, const std::string& name,
                                 bool lossy, const Messages& messages) {
  const size_t nul = text.find('\0');
  const std::optional<size_t> invalid = base::find_invalid_utf8(text);
  if (nul == std::string::npos && !invalid) return text;
  const size_t at = std::min(nul, invalid.value_or(std::string::npos));
  const char* what = at == nul ? "a NUL byte" : "invalid UTF-8";
  if (!lossy) {
    return Error{
        ErrorKind::kData,
        fmt::format("{}: {} at byte {} (--lossy replaces it)", name, what, at)};
  }
  messages.warn(fmt::format("{}: replaced {} at byte {}", name, what, at));
  // 0xFF is never valid UTF-8, so NULs become U+FFFD with the rest.
  std::replace(text.begin(), text.end(), '\0', '\xFF');
  return base::replace_invalid_utf8(text);
}

void append_part(std::string& text, std::string_view part) {
  if (part.empty()) return;
  if (!text.empty()) text += text.back() == '\n' ? "\n" : "\n\n";
  text += part;
}

Result<std::string> read_instruction(const InputOptions& input,
                                     const Messages& messages) {
  std::string instruction = input.prompt.value_or("");
  append_part(instruction, base::join(input.operands, " "));
  return checked_text(std::move(instruction), "the prompt", input.lossy,
                      messages);
}

bool wants_stdin(const InputOptions& input, bool has_instruction) {
  const bool named = std::find(input.files.begin(), input.files.end(), "-") !=
                     input.files.end();
  if (named || input.no_stdin) return false;
  if (has_instruction) return ::isatty(STDIN_FILENO) == 0;
  return input.files.empty();
}

Result<std::string> read_context(const InputOptions& input,
                                 bool has_instruction,
                                 const Messages& messages) {
  std::vector<std::string> names = input.files;
  if (wants_stdin(input, has_instruction)) names.insert(names.begin(), "-");
  std::string context;
  for (const std::string& name : names) {
    LLMROUTE_TRY(std::string raw,
                 name == "-" ? read_stdin(input, has_instruction, messages)
                             : base::read_file(name, kMostInput));
    LLMROUTE_TRY(const std::string text,
                 checked_text(std::move(raw), name == "-" ? "stdin" : name,
                              input.lossy, messages));
    append_part(context, text);
  }
  return context;
}

Result<std::string> read_system(const InputOptions& input,
                                const Messages& messages) {
  std::string system = input.system.value_or("");
  if (input.system_file) {
    LLMROUTE_TRY(const std::string text,
                 base::read_file(*input.system_file, kMostInput));
    append_part(system, text);
  }
  return checked_text(std::move(system), "the system text", input.lossy,
                      messages);
}

// What the file of an option says, read by `read`.
template <class Read>
auto read_option_file(const std::string& file, Read read)
    -> decltype(read(file)) {
  LLMROUTE_TRY(const std::string text, base::read_file(file, kMostInput));
  auto value = read(text);
  if (value) return value;
  return base::with_context(file, std::move(value).error());
}

}  // namespace

base::Status read_schema_and_tools(const RequestOptions& request,
                                   core::Parameters& parameters) {
  if (request.schema_file) {
    LLMROUTE_TRY(parameters.schema,
                 read_option_file(*request.schema_file, core::compact_schema));
  }
  if (request.tools_file) {
    LLMROUTE_TRY(parameters.tools,
                 read_option_file(*request.tools_file, core::read_tools));
  }
  return {};
}

Result<core::Prompt> read_prompt(const InputOptions& input,
                                 const RequestOptions& request,
                                 const Messages& messages) {
  LLMROUTE_TRY(const std::string instruction,
               read_instruction(input, messages));
  const bool has_instruction = !instruction.empty();
  if (std::count(input.files.begin(), input.files.end(), "-") > 1) {
    return Error{ErrorKind::kUsage, "-f - can be given once"};
  }
  if (!has_instruction && input.files.empty() &&
      (input.no_stdin || ::isatty(STDIN_FILENO) != 0)) {
    return Error{ErrorKind::kUsage,
                 "no prompt: give one as an argument, with -f, or on stdin"};
  }
  LLMROUTE_TRY(std::string text,
               read_context(input, has_instruction, messages));
  core::Prompt prompt;
  append_part(text, instruction);
  if (base::trim(text).empty()) {
    return Error{ErrorKind::kNoInput, "the prompt is empty; nothing was sent"};
  }
  if (has_instruction)
    prompt.instruction_begin = text.size() - instruction.size();
  LLMROUTE_TRY(prompt.system, read_system(input, messages));
  prompt.messages.push_back({core::Role::kUser, std::move(text)});
  prompt.files = input.files;
  prompt.parameters = {request.max_tokens,
                       request.temperature,
                       request.stop,
                       request.seed,
                       request.extra,
                       {},
                       {},
                       {}};
  LLMROUTE_CHECK(read_schema_and_tools(request, prompt.parameters));
  return prompt;
}

core::Prompt apply_template(core::Prompt prompt,
                            const std::string& prompt_template) {
  constexpr std::string_view kInput = "{input}";
  const size_t place = prompt_template.find(kInput);
  if (place == std::string::npos) return prompt;
  std::string& text = prompt.question().text;
  text = prompt_template.substr(0, place) + text +
         prompt_template.substr(place + kInput.size());
  prompt.instruction_begin = 0;
  return prompt;
}

}  // namespace llmroute::app
