#include "provider/call_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/event.h"
#include "base/files.h"
#include "provider/curl_loop.h"
#include "provider/http_call.h"

namespace llmroute::provider {
namespace {

const TextSink kNowhere = [](std::string_view) { return true; };

core::Failure no_thread() {
  core::Failure failure;
  failure.kind = core::FailureClass::kLocal;
  failure.cause = "cannot start";
  failure.message = "no thread to be had: lower --jobs";
  return failure;
}

}  // namespace

class CallLoop::Impl {
 public:
  Impl();
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start(Call call, Done done);
  size_t running() const { return http_.size() + commands_.size(); }
  void cancel_all();
  int fd() const { return news_.get(); }
  std::chrono::milliseconds timeout() const { return curl_.timeout(); }
  void turn();
  void exclude(std::chrono::nanoseconds blocked) { curl_.exclude(blocked); }

 private:
  struct Http {
    Http(Call given, Done whom)
        : call(std::move(given)), http(call, kNowhere), done(std::move(whom)) {}
    Call call;
    HttpCall http;
    Done done;
    CurlLoop::Id id = 0;
  };
  struct Command {
    Command(Call given, Done whom)
        : call(std::move(given)), done(std::move(whom)) {}
    Call call;
    Done done;
    std::thread thread;
  };

  void send(Http& one);
  void finish(Http& one, CallResult result);
  void run(Command& one);

  // Transfers refer to their calls, so these go after the loop.
  std::unordered_map<Http*, std::unique_ptr<Http>> http_;
  CurlLoop curl_{true};
  std::unordered_map<Command*, std::unique_ptr<Command>> commands_;
  // Results that came without anything being sent.
  std::vector<std::pair<Http*, CallResult>> at_once_;
  std::mutex mutex_;  // of ended_
  // Has room for all commands, so that none needs memory to end.
  std::vector<std::pair<Command*, CallResult>> ended_;
  base::Descriptor ended_event_ = base::new_event();
  std::atomic<bool> cancelled_{false};
  base::Descriptor cancel_event_ = base::new_event();
  base::Descriptor news_{::epoll_create1(EPOLL_CLOEXEC)};
};

CallLoop::Impl::Impl() {
  for (const int fd : {curl_.fd(), ended_event_.get()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(news_.get(), EPOLL_CTL_ADD, fd, &event);
  }
}

CallLoop::Impl::~Impl() {
  cancelled_ = true;
  base::tell(cancel_event_);
  for (auto& [one, owned] : commands_) {
    if (one->thread.joinable()) one->thread.join();
  }
}

void CallLoop::Impl::start(Call call, Done done) {
  if (call.provider.protocol != core::Protocol::kExec) {
    auto owned = std::make_unique<Http>(std::move(call), std::move(done));
    Http& one = *owned;
    http_.emplace(&one, std::move(owned));
    if (auto result = one.http.begin()) {
      at_once_.emplace_back(&one, *std::move(result));
      base::tell(ended_event_);
      return;
    }
    return send(one);
  }
  auto owned = std::make_unique<Command>(std::move(call), std::move(done));
  Command& one = *owned;
  one.call.cancel = {&cancelled_, cancel_event_.get()};
  commands_.emplace(&one, std::move(owned));
  {
    const std::lock_guard lock(mutex_);
    ended_.reserve(commands_.size());
  }
  try {
    one.thread = std::thread([this, &one] { run(one); });
  } catch (const std::system_error&) {
    const std::lock_guard lock(mutex_);
    ended_.emplace_back(&one, no_thread());
    base::tell(ended_event_);
  }
}

void CallLoop::Impl::run(Command& one) {
  CallResult result = call_on_thread(one.call, kNowhere);
  const std::lock_guard lock(mutex_);
  ended_.emplace_back(&one, std::move(result));
  base::tell(ended_event_);
}

void CallLoop::Impl::send(Http& one) {
  one.id = curl_.start(one.http.request(), one.http.receiver(),
                       [this, &one](std::optional<core::Failure> failure) {
                         auto result = one.http.ended(std::move(failure));
                         if (!result) return send(one);
                         finish(one, *std::move(result));
                       });
}

void CallLoop::Impl::finish(Http& one, CallResult result) {
  const auto owned = http_.extract(&one);
  owned.mapped()->done(std::move(result));
}

void CallLoop::Impl::turn() {
  curl_.turn();
  uint64_t count = 0;
  (void)!::read(ended_event_.get(), &count, sizeof count);
  for (auto& [one, result] : std::exchange(at_once_, {})) {
    finish(*one, std::move(result));
  }
  std::vector<std::pair<Command*, CallResult>> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.assign(std::make_move_iterator(ended_.begin()),
                 std::make_move_iterator(ended_.end()));
    ended_.clear();
  }
  for (auto& [one, result] : ended) {
    const auto owned = commands_.extract(one);
    if (one->thread.joinable()) one->thread.join();
    owned.mapped()->done(std::move(result));
  }
}

void CallLoop::Impl::cancel_all() {
  cancelled_ = true;
  base::tell(cancel_event_);
  std::vector<CurlLoop::Id> sent;
  for (const auto& [one, owned] : http_) sent.push_back(one->id);
  for (const CurlLoop::Id id : sent) curl_.cancel(id);
}

CallLoop::CallLoop() : impl_(std::make_unique<Impl>()) {}
CallLoop::~CallLoop() = default;

void CallLoop::start(Call call, Done done) {
  impl_->start(std::move(call), std::move(done));
}
size_t CallLoop::running() const { return impl_->running(); }
void CallLoop::cancel_all() { impl_->cancel_all(); }
int CallLoop::fd() const { return impl_->fd(); }
std::chrono::milliseconds CallLoop::timeout() const { return impl_->timeout(); }
void CallLoop::turn() { impl_->turn(); }
void CallLoop::exclude(std::chrono::nanoseconds blocked) {
  impl_->exclude(blocked);
}

}  // namespace llmroute::provider
