#include "provider/curl_loop.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/files.h"
#include "provider/curl_transfer.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

namespace llmroute::provider {
namespace {

using base::now;
using core::Failure;
using std::chrono::milliseconds;
using Time = Deadlines::Time;

// A response may end right after its end marker; waiting so long for that keeps
// the connection usable and is not noticed.
constexpr milliseconds kGraceAfterEnd{25};
constexpr milliseconds kLongestWait{1000};
constexpr milliseconds kUnwatchedWait{20};
// Transfers that share connections. libcurl looks for one that is free among
// all that its handle has to a host, so with many the search would cost more
// than the rest.
constexpr size_t kTogether = 64;
// Idle connections kept by each of these groups; libcurl closes the oldest
// above that, so it must be more than ever are in flight.
constexpr long kMostConnections = 4 * kTogether;

Failure no_handle() {
  Failure failure;
  failure.kind = core::FailureClass::kLocal;
  failure.cause = "out of memory";
  failure.message = "libcurl cannot create a handle";
  return failure;
}

}  // namespace

class CurlLoop::Impl {
 public:
  explicit Impl(bool http2) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    network_.http2 = http2;
  }
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Id start(const HttpRequest& request, Receiver& receiver, Ended ended);
  void cancel(Id id);
  int fd() const { return epoll_.get(); }
  milliseconds timeout() const;
  void turn();
  void exclude(std::chrono::nanoseconds blocked);

 private:
  // One handle of libcurl's, with connections and timers of its own.
  struct Group {
    Impl* loop = nullptr;
    size_t number = 0;  // index into groups_
    CURLM* multi = nullptr;
    size_t running = 0;
    std::optional<Time> timer;  // libcurl's
  };
  struct Running {
    Running(const CurlLibrary& curl, const HttpRequest& request,
            Receiver& receiver, CurlMoment& moment, Id number)
        : transfer(curl, request, receiver, moment, number), id(number) {}
    CurlTransfer transfer;
    std::unique_ptr<CurlHandle> handle;
    Group* group = nullptr;
    Ended ended;
    const Id id;
    std::optional<Time> grace_end;
    Time due;  // its place in due_
  };

  static int on_socket(CURL*, curl_socket_t socket, int what, void* user,
                       void*);
  static int on_timer(CURLM*, long after_ms, void* user);

  void forget(int socket);
  std::optional<Failure> open();
  Group* group_with_room();
  std::unique_ptr<CurlHandle> take_handle();
  void take_events();
  void take_pauses();
  void take_messages();
  void take_timers();
  Time due_of(Running& running) const;
  void watch_again(Running& running);
  void finish(Running& running, std::optional<Failure> failure);

  const CurlLibrary* curl_ = nullptr;
  std::vector<std::unique_ptr<Group>> groups_;
  base::Descriptor epoll_;
  CurlNetwork network_;
  std::vector<std::unique_ptr<CurlHandle>> spare_;
  std::unordered_map<Id, std::unique_ptr<Running>> running_;
  // When to look at the timers of each.
  std::set<std::pair<Time, Id>> due_;
  CurlMoment moment_;
  std::vector<std::pair<Ended, Failure>> stillborn_;  // could not be started
  std::set<int> unwatched_;  // sockets that epoll would not take
  Id last_id_ = 0;
};

CurlLoop::Impl::~Impl() {
  for (auto& [id, running] : running_) {
    curl_->multi_remove_handle(running->group->multi, running->handle->easy);
    curl_->easy_cleanup(running->handle->easy);
  }
  for (const auto& handle : spare_) curl_->easy_cleanup(handle->easy);
  for (const auto& group : groups_) curl_->multi_cleanup(group->multi);
}

std::optional<Failure> CurlLoop::Impl::open() {
  if (curl_ != nullptr && epoll_.valid()) return std::nullopt;
  Failure failure;
  failure.kind = core::FailureClass::kLocal;
  const auto library = curl_library();
  if (!library) {
    failure.cause = "no libcurl";
    failure.message = library.error().message;
    return failure;
  }
  curl_ = *library;
  if (!epoll_.valid()) {
    failure.cause = "no descriptors";
    failure.message = "no descriptor left to wait for sockets with";
    return failure;
  }
  return std::nullopt;
}

// The first, so that connections which are open are used; null: out of memory.
CurlLoop::Impl::Group* CurlLoop::Impl::group_with_room() {
  for (const auto& group : groups_) {
    if (group->running < kTogether) return group.get();
  }
  CURLM* multi = curl_->multi_init();
  if (multi == nullptr) return nullptr;
  auto owned = std::make_unique<Group>();
  *owned = {this, groups_.size(), multi, 0, std::nullopt};
  Group* group = owned.get();
  groups_.push_back(std::move(owned));
  curl_->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
  curl_->multi_setopt(multi, CURLMOPT_SOCKETDATA, group);
  curl_->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
  curl_->multi_setopt(multi, CURLMOPT_TIMERDATA, group);
  curl_->multi_setopt(multi, CURLMOPT_MAXCONNECTS, kMostConnections);
  curl_->multi_setopt(multi, CURLMOPT_PIPELINING,
                      static_cast<long>(CURLPIPE_MULTIPLEX));
  return group;
}

int CurlLoop::Impl::on_socket(CURL*, curl_socket_t socket, int what, void* user,
                              void*) {
  const Group& group = *static_cast<Group*>(user);
  Impl& self = *group.loop;
  CurlMoment::Watched& watched = self.moment_.socket(socket);
  watched.group = group.number;
  watched.wanted = what != CURL_POLL_REMOVE;
  self.unwatched_.erase(socket);
  if (!watched.wanted) {
    if (!watched.connection) self.forget(socket);
    return 0;
  }
  epoll_event event{};
  event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                 ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  event.data.fd = socket;
  if (event.events == watched.events) return 0;
  // What is believed of the socket counts less than what epoll says of it; -1
  // would end all transfers.
  const int epoll = self.epoll_.get();
  const bool watches = ::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) == 0 ||
                       ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0;
  watched.events = watches ? event.events : 0;
  if (!watches) self.unwatched_.insert(socket);
  return 0;
}

void CurlLoop::Impl::forget(int socket) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
  moment_.socket(socket).events = 0;
}

int CurlLoop::Impl::on_timer(CURLM*, long after_ms, void* user) {
  auto& group = *static_cast<Group*>(user);
  if (after_ms < 0) {
    group.timer.reset();
  } else {
    group.timer = group.loop->moment_.now + milliseconds(after_ms);
  }
  return 0;
}

std::unique_ptr<CurlHandle> CurlLoop::Impl::take_handle() {
  if (spare_.empty()) return std::make_unique<CurlHandle>(*curl_);
  auto handle = std::move(spare_.back());
  spare_.pop_back();
  return handle;
}

CurlLoop::Id CurlLoop::Impl::start(const HttpRequest& request,
                                   Receiver& receiver, Ended ended) {
  const Id id = ++last_id_;
  auto failure = open();
  auto handle = failure ? nullptr : take_handle();
  Group* group = failure ? nullptr : group_with_room();
  if (!failure && (handle->easy == nullptr || group == nullptr)) {
    failure = no_handle();
  }
  if (failure) {
    stillborn_.emplace_back(std::move(ended), std::move(*failure));
    return id;
  }
  if (network_.no_proxy.empty() || network_.ca_file != request.ca_file) {
    network_.read(request.ca_file);
  }
  moment_.now = now();
  auto running =
      std::make_unique<Running>(*curl_, request, receiver, moment_, id);
  CURL* easy = handle->easy;
  running->handle = std::move(handle);
  running->group = group;
  running->ended = std::move(ended);
  running->transfer.set_up(*running->handle, network_);
  curl_->easy_setopt(easy, CURLOPT_PRIVATE, running.get());
  if (curl_->multi_add_handle(group->multi, easy) != CURLM_OK) {
    running->handle->set = false;
    spare_.push_back(std::move(running->handle));
    stillborn_.emplace_back(std::move(running->ended), no_handle());
    return id;
  }
  due_.emplace(running->due = due_of(*running), id);
  ++group->running;
  running_.emplace(id, std::move(running));
  return id;
}

Time CurlLoop::Impl::due_of(Running& running) const {
  return running.grace_end.value_or(
      moment_.now + running.transfer.deadlines().left(moment_.now));
}

// Its timers have changed.
void CurlLoop::Impl::watch_again(Running& running) {
  due_.erase({running.due, running.id});
  due_.emplace(running.due = due_of(running), running.id);
}

void CurlLoop::Impl::finish(Running& running, std::optional<Failure> failure) {
  std::unique_ptr<CurlHandle> handle = std::move(running.handle);
  curl_->multi_remove_handle(running.group->multi, handle->easy);
  --running.group->running;
  due_.erase({running.due, running.id});
  handle->set = handle->set && !failure;
  spare_.push_back(std::move(handle));
  const auto owned = running_.extract(running.id);
  owned.mapped()->ended(std::move(failure));
}

void CurlLoop::Impl::cancel(Id id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  finish(*found->second, found->second->transfer.cancelled());
}

milliseconds CurlLoop::Impl::timeout() const {
  if (!stillborn_.empty()) return milliseconds(0);
  Time until = now();
  const Time start = until;
  until += unwatched_.empty() ? kLongestWait : kUnwatchedWait;
  for (const auto& group : groups_) {
    if (group->timer) until = std::min(until, *group->timer);
  }
  if (!due_.empty()) until = std::min(until, due_.begin()->first);
  return std::max(milliseconds(0),
                  std::chrono::ceil<milliseconds>(until - start));
}

void CurlLoop::Impl::take_events() {
  std::array<epoll_event, 256> events;  // NOLINT: filled by epoll_wait
  int running = 0;
  const int count = ::epoll_wait(epoll_.get(), events.data(),
                                 static_cast<int>(events.size()), 0);
  moment_.now = now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const CurlMoment::Watched& watched = moment_.socket(event.data.fd);
    if (!watched.wanted) {
      // Nobody waits for it: most likely its peer has closed it.
      forget(event.data.fd);
      continue;
    }
    const int what =
        ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
        ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
        ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    curl_->multi_socket_action(groups_[watched.group]->multi, event.data.fd,
                               what, &running);
  }
  // Without a word on what is ready, libcurl looks itself.
  for (const int socket : std::set(unwatched_)) {
    const size_t group = moment_.socket(socket).group;
    curl_->multi_socket_action(groups_[group]->multi, socket, 0, &running);
  }
  for (const auto& group : groups_) {
    if (!group->timer || *group->timer > moment_.now) continue;
    group->timer.reset();
    curl_->multi_socket_action(group->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

void CurlLoop::Impl::take_pauses() {
  const std::vector<Id> touched = std::exchange(moment_.touched, {});
  for (const Id id : touched) {
    const auto found = running_.find(id);
    if (found == running_.end()) continue;
    Running& running = *found->second;
    CurlTransfer& transfer = running.transfer;
    transfer.take_pause();
    if (transfer.stopped()) {
      finish(running, std::nullopt);
    } else if (transfer.complete() && !running.grace_end) {
      running.grace_end = moment_.now + kGraceAfterEnd;
      watch_again(running);
    } else if (running.due > due_of(running) + kLongestWait) {
      watch_again(running);  // content has come: silence counts from now on
    }
  }
}

void CurlLoop::Impl::take_messages() {
  std::vector<std::pair<Id, int>> done;
  int left = 0;
  for (const auto& group : groups_) {
    while (const CURLMsg* message =
               curl_->multi_info_read(group->multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Running* running = nullptr;
      curl_->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &running);
      done.emplace_back(running->id, message->data.result);
    }
  }
  for (const auto& [id, code] : done) {
    const auto found = running_.find(id);
    if (found == running_.end()) continue;
    Running& running = *found->second;
    finish(running, running.transfer.result(code));
  }
}

void CurlLoop::Impl::take_timers() {
  const Time time = moment_.now;
  while (!due_.empty() && due_.begin()->first <= time) {
    Running& running = *running_.at(due_.begin()->second);
    const auto timer = running.transfer.deadlines().expired(time);
    if (running.grace_end) {
      finish(running, std::nullopt);
    } else if (timer) {
      finish(running, running.transfer.timed_out(*timer));
    } else {
      watch_again(running);
    }
  }
}

void CurlLoop::Impl::turn() {
  for (auto& [ended, failure] : std::exchange(stillborn_, {})) {
    ended(std::move(failure));
  }
  if (groups_.empty()) return;
  take_events();
  take_pauses();
  take_messages();
  take_timers();
}

void CurlLoop::Impl::exclude(std::chrono::nanoseconds blocked) {
  for (auto& [id, running] : running_) {
    running->transfer.deadlines().exclude(blocked);
  }
}

CurlLoop::CurlLoop(bool http2) : impl_(std::make_unique<Impl>(http2)) {}
CurlLoop::~CurlLoop() = default;

CurlLoop::Id CurlLoop::start(const HttpRequest& request, Receiver& receiver,
                             Ended ended) {
  return impl_->start(request, receiver, std::move(ended));
}

void CurlLoop::cancel(Id id) { impl_->cancel(id); }
int CurlLoop::fd() const { return impl_->fd(); }
milliseconds CurlLoop::timeout() const { return impl_->timeout(); }
void CurlLoop::turn() { impl_->turn(); }
void CurlLoop::exclude(std::chrono::nanoseconds blocked) {
  impl_->exclude(blocked);
}

}  // namespace llmroute::provider
