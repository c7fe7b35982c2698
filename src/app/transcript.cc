#include "app/transcript.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/json_writer.h"
#include "core/tool_list.h"

namespace llmroute::app {
namespace {

using base::ErrorKind;

void add_prompt(base::JsonWriter& json, const Routed& routed) {
  const core::Prompt& prompt = routed.prompt;
  json.text_or_null("system", prompt.system);
  json.key("messages").begin_array();
  for (const core::Message& message : prompt.messages) {
    json.begin_object();
    json.field("role",
               message.role == core::Role::kUser ? "user" : "assistant");
    json.field("content", message.text).end_object();
  }
  json.end_array();
  json.text_or_null("template", routed.decision.prompt_template);
}

std::string line_of(const std::string& id, const Routed& routed,
                    const Answered& answered, int exit) {
  base::JsonWriter json;
  json.begin_object().field("schema", "llmroute.transcript/1");
  json.field("id", id);
  json.field("time", base::format_utc(base::wall_now()));
  add_prompt(json, routed);
  json.text_or_null("model",
                    answered.by != nullptr ? answered.by->model->name : "");
  json.key("answer");
  answered.reply ? json.value(answered.reply->text) : json.null();
  if (answered.reply && !answered.reply->tool_calls.empty()) {
    json.key("tool_calls").begin_array();
    for (const core::ToolCall& call : answered.reply->tool_calls) {
      json.raw(core::tool_call_json(call));
    }
    json.end_array();
  }
  json.key("finish_reason");
  answered.reply ? json.value(core::finish_name(answered.reply->finish))
                 : json.null();
  json.field("exit", exit).end_object();
  return json.take() + "\n";
}

// At the end of the file, or nothing of it: the next line would follow half of
// it. On failure the errno, else 0.
int write_whole(int file, const std::string& line) {
  struct stat info {};
  if (::fstat(file, &info) != 0) return errno;
  const int error = base::write_all(file, line);
  if (error != 0) (void)!::ftruncate(file, info.st_size);
  return error;
}

}  // namespace

base::Result<Transcript> Transcript::open(const std::string& path) {
  if (path == "-") {
    return base::Error{ErrorKind::kUsage,
                       "--transcript needs a file; '-' is none, and ./- is a "
                       "file of that name"};
  }
  base::Descriptor file(::open(
      path.c_str(),
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
      0600));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) {
    return base::io_error(ErrorKind::kCannotCreate, "cannot write", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return base::Error{ErrorKind::kCannotCreate,
                       fmt::format("cannot write '{}': no regular file", path)};
  }
  if (::fchmod(file.get(), 0600) != 0) {
    return base::io_error(ErrorKind::kCannotCreate, "cannot protect", path);
  }
  return Transcript(path, std::move(file));
}

base::Status Transcript::add(const std::string& id, const Routed& routed,
                             const Answered& answered, int exit) {
  const std::string line = line_of(id, routed, answered, exit);
  while (::flock(file_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      return base::io_error(ErrorKind::kIo, "cannot lock", path_);
    }
  }
  const int error = write_whole(file_.get(), line);
  ::flock(file_.get(), LOCK_UN);
  errno = error;
  if (error != 0) return base::io_error(ErrorKind::kIo, "cannot write", path_);
  return {};
}

}  // namespace llmroute::app
