#include "provider/exec.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/child_process.h"
#include "base/environment.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/utf8.h"
#include "provider/deadlines.h"
#include "provider/sigpipe_guard.h"
#include "provider/transport.h"

namespace llmroute::provider {
namespace {

using base::ChildEnd;
using base::ChildProcess;
using base::now;
using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;
using Time = base::Monotonic;

constexpr size_t kErrorBytesKept = size_t{64} << 10;
constexpr milliseconds kPatience{2000};      // from SIGTERM to SIGKILL
constexpr milliseconds kPipesOutlive{1000};  // a daemon may hold them
constexpr milliseconds kTick{20};            // where the end is not an event
constexpr int kTryLater = 75;                // EX_TEMPFAIL of sysexits(3)

std::vector<std::string> child_environment(const core::Provider& provider) {
  constexpr std::array<const char*, 20> kNames = {"PATH",
                                                  "HOME",
                                                  "USER",
                                                  "LANG",
                                                  "TMPDIR",
                                                  "TZ",
                                                  "LC_ALL",
                                                  "LC_ADDRESS",
                                                  "LC_COLLATE",
                                                  "LC_CTYPE",
                                                  "LC_IDENTIFICATION",
                                                  "LC_MEASUREMENT",
                                                  "LC_MESSAGES",
                                                  "LC_MONETARY",
                                                  "LC_NAME",
                                                  "LC_NUMERIC",
                                                  "LC_PAPER",
                                                  "LC_TELEPHONE",
                                                  "LC_TIME",
                                                  "LANGUAGE"};
  const base::ProcessEnvironment environment;
  std::vector<std::string> variables;
  auto pass = [&](const std::string& name) {
    if (const auto value = environment.get(name)) {
      variables.push_back(name + '=' + *value);
    }
  };
  for (const char* name : kNames) pass(name);
  for (const std::string& name : provider.pass_env) pass(name);
  return variables;
}

Failure make_failure(FailureClass kind, std::string cause,
                     std::string message) {
  Failure failure;
  failure.kind = kind;
  failure.cause = std::move(cause);
  failure.message = std::move(message);
  return failure;
}

Failure start_failure(const std::string& command, int error) {
  const std::string why = command + ": " + base::errno_text(error);
  switch (error) {
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOMEM:
      return make_failure(FailureClass::kLocal, "cannot start", why);
    default:
      return make_failure(FailureClass::kGone, "command missing", why);
  }
}

// Reads what is there. False: the end of file.
bool read_some(const base::Descriptor& fd, std::string& out) {
  std::array<char, size_t{64} << 10> buffer;  // NOLINT: filled by read
  const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
  if (count > 0) out.append(buffer.data(), static_cast<size_t>(count));
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

// One run of a command.
class ExecRun {
 public:
  ExecRun(const Call& call, const TextSink& on_text, ChildProcess child)
      : call_(call),
        on_text_(on_text),
        child_(std::move(child)),
        input_(exec_input(call.prompt)),
        deadline_(now() + call.timeouts.total) {}

  CallResult run();

 private:
  void exchange();
  void wait_for_news();
  void write_input();
  void take_output();
  void take_errors();
  void deliver(std::string_view text);
  void check_limits();
  void terminate();
  // Until what there is nothing left to wait for.
  Time patience() const;
  bool pipes_open() const {
    return child_.output.valid() || child_.errors.valid();
  }
  CallResult result(const ChildEnd& end);
  Failure exit_failure(const ChildEnd& end) const;
  bool transient(int exit_status) const;
  std::string last_words() const;

  const Call& call_;
  const TextSink& on_text_;
  ChildProcess child_;
  std::string input_;
  size_t written_ = 0;
  Time deadline_;
  std::optional<Time> ended_at_;
  base::Utf8Repairer repairer_;
  std::string text_;
  std::string errors_;
  std::optional<Failure> failure_;
};

CallResult ExecRun::run() {
  const SigpipeGuard no_sigpipe;
  exchange();
  if (failure_) terminate();
  deliver(repairer_.finish());
  return result(child_.wait());
}

void ExecRun::exchange() {
  for (;;) {
    if (!ended_at_ && child_.ended()) ended_at_ = now();
    if (ended_at_ && !pipes_open()) return;
    if (ended_at_ && now() >= *ended_at_ + kPipesOutlive) return;
    check_limits();
    if (failure_) return;
    wait_for_news();
    if (failure_) return;
  }
}

void ExecRun::check_limits() {
  if (call_.cancel.requested()) {
    failure_ = make_failure(FailureClass::kCancelled, "cancelled", "cancelled");
  } else if (now() >= deadline_) {
    failure_ = make_failure(
        FailureClass::kTransient, "total time-out",
        fmt::format("not finished within {:g} s",
                    static_cast<double>(call_.timeouts.total.count()) / 1e3));
    failure_->timed_out = true;
  }
}

Time ExecRun::patience() const {
  if (ended_at_) return std::min(deadline_, *ended_at_ + kPipesOutlive);
  // Without an event for its end, look again soon.
  const bool blind = child_.end_fd() < 0;
  return blind ? std::min(deadline_, now() + kTick) : deadline_;
}

void ExecRun::wait_for_news() {
  std::array<pollfd, 5> fds = {{
      {child_.input.get(), POLLOUT, 0},
      {child_.output.get(), POLLIN, 0},
      {child_.errors.get(), POLLIN, 0},
      {ended_at_ ? -1 : child_.end_fd(), POLLIN, 0},
      {call_.cancel.wake_fd, POLLIN, 0},
  }};
  const auto left = std::chrono::ceil<milliseconds>(patience() - now());
  const auto wait = std::clamp<int64_t>(left.count(), 0, 1000);
  if (::poll(fds.data(), fds.size(), static_cast<int>(wait)) <= 0) return;
  if (fds[0].revents != 0) write_input();
  if (fds[1].revents != 0) take_output();
  if (fds[2].revents != 0) take_errors();
}

// A command need not read all of its input; its output decides.
void ExecRun::write_input() {
  const ssize_t count = ::write(child_.input.get(), input_.data() + written_,
                                input_.size() - written_);
  if (count > 0) written_ += static_cast<size_t>(count);
  const bool broken = count < 0 && errno != EAGAIN && errno != EINTR;
  if (broken || written_ == input_.size()) child_.input.reset();
}

void ExecRun::take_output() {
  std::string bytes;
  if (!read_some(child_.output, bytes)) child_.output.reset();
  deliver(repairer_.feed(bytes));
}

void ExecRun::take_errors() {
  if (!read_some(child_.errors, errors_)) child_.errors.reset();
  if (errors_.size() > 2 * kErrorBytesKept) {
    errors_.erase(0, errors_.size() - kErrorBytesKept);
  }
}

void ExecRun::deliver(std::string_view text) {
  if (text.empty() || failure_) return;
  if (text_.size() + text.size() > kMaxAnswerBytes) {
    failure_ = make_failure(FailureClass::kProtocol, "answer too large",
                            "the answer is over 16 MiB");
    return;
  }
  text_ += text;
  const Time before = now();
  const bool wanted = on_text_(text);
  deadline_ += now() - before;
  if (wanted) return;
  failure_ = make_failure(FailureClass::kCancelled, "cancelled",
                          "the answer is no longer wanted");
}

// Asks the whole group to end, then makes it.
void ExecRun::terminate() {
  child_.input.reset();
  child_.signal_group(SIGTERM);
  const Time end = now() + kPatience;
  while (!child_.ended() && now() < end) {
    // Reading on lets the command write its last words.
    std::array<pollfd, 2> fds = {
        {{child_.output.get(), POLLIN, 0}, {child_.errors.get(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(kTick.count()));
    std::string ignored;
    if (fds[0].revents != 0 && !read_some(child_.output, ignored)) {
      child_.output.reset();
    }
    if (fds[1].revents != 0) take_errors();
  }
  child_.signal_group(SIGKILL);
}

bool ExecRun::transient(int exit_status) const {
  const auto& also = call_.provider.retry_exit;
  return exit_status == kTryLater ||
         std::find(also.begin(), also.end(), exit_status) != also.end();
}

// The end of its stderr, in a line or a few.
std::string ExecRun::last_words() const {
  constexpr size_t kLongest = 500;
  std::string_view words = base::trim(errors_);
  if (words.size() > kLongest) words.remove_prefix(words.size() - kLongest);
  if (words.empty()) return {};
  return ": " + base::replace_invalid_utf8(words);
}

Failure ExecRun::exit_failure(const ChildEnd& end) const {
  const std::string& command = call_.provider.command.front();
  if (end.signal != 0) {
    return make_failure(
        FailureClass::kTransient, fmt::format("signal {}", end.signal),
        fmt::format("{} was killed by signal {} ({}){}", command, end.signal,
                    strsignal(end.signal), last_words()));
  }
  const FailureClass kind = transient(end.exit_status)
                                ? FailureClass::kTransient
                            : end.exit_status == 126 || end.exit_status == 127
                                ? FailureClass::kGone
                                : FailureClass::kProtocol;
  return make_failure(kind, fmt::format("exit {}", end.exit_status),
                      fmt::format("{} ended with status {}{}", command,
                                  end.exit_status, last_words()));
}

CallResult ExecRun::result(const ChildEnd& end) {
  if (!failure_ && (end.signal != 0 || end.exit_status != 0)) {
    failure_ = exit_failure(end);
  }
  if (failure_) {
    failure_->sent = true;
    failure_->bytes_streamed = text_.size();
    return *failure_;
  }
  core::Reply reply;
  reply.text = std::move(text_);
  reply.repaired_utf8 = repairer_.repaired();
  return reply;
}

}  // namespace

std::string exec_input(const core::Prompt& prompt) {
  std::string input = prompt.system;
  for (const core::Message& message : prompt.messages) {
    if (!input.empty()) input += "\n\n";
    input += message.text;
  }
  return input;
}

CallResult exec_call(const Call& call, const TextSink& on_text) {
  const auto& command = call.provider.command;
  if (command.empty()) {
    return make_failure(FailureClass::kGone, "command missing",
                        "the exec provider has no command");
  }
  if (call.prompt.parameters.may_call()) {
    return make_failure(FailureClass::kGone, "no tools",
                        "a command is given no tools");
  }
  auto child = ChildProcess::start(command, child_environment(call.provider));
  if (const int* error = std::get_if<int>(&child)) {
    return start_failure(command.front(), *error);
  }
  return ExecRun(call, on_text, std::get<ChildProcess>(std::move(child))).run();
}

std::string describe_exec(const Call& call) {
  base::JsonWriter json;
  json.begin_array();
  for (const std::string& word : call.provider.command) json.value(word);
  return "exec " + json.end_array().take() + "\n\n" + exec_input(call.prompt) +
         "\n";
}

}  // namespace llmroute::provider
