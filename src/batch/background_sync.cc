#include "batch/background_sync.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace llmroute::batch {

BackgroundSync::~BackgroundSync() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void BackgroundSync::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return fd_ >= 0 || ending_; });
    if (fd_ < 0) return;
    const int fd = fd_;
    lock.unlock();
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    lock.lock();
    if (error != 0) error_ = error;
    fd_ = -1;
    changed_.notify_all();
  }
}

void BackgroundSync::start(int fd) {
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { work(); });
    } catch (const std::system_error&) {
      if (::fsync(fd) != 0) error_ = errno;
      return;
    }
  }
  const std::lock_guard lock(mutex_);
  fd_ = fd;
  changed_.notify_all();
}

bool BackgroundSync::running() {
  const std::lock_guard lock(mutex_);
  return fd_ >= 0;
}

void BackgroundSync::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return fd_ < 0; });
}

int BackgroundSync::take_error() {
  const std::lock_guard lock(mutex_);
  return std::exchange(error_, 0);
}

}  // namespace llmroute::batch
