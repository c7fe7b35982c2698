// fsync on a thread of its own, so that a slow disk does not hold up the one
// that has results to take.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace llmroute::batch {

// start(), running(), take_error() and wait() are for one thread.
class BackgroundSync {
 public:
  BackgroundSync() = default;
  BackgroundSync(const BackgroundSync&) = delete;
  BackgroundSync& operator=(const BackgroundSync&) = delete;
  // Waits for what was started.
  ~BackgroundSync();

  // Begins to sync a file; without a thread to be had, does it at once.
  // REQUIRES: !running(); the descriptor stays open until it is done.
  void start(int fd);
  bool running();
  void wait();
  // The errno of a sync that failed, once; 0: none has.
  int take_error();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  int fd_ = -1;  // to be synced; -1: nothing to do
  int error_ = 0;
  bool ending_ = false;
};

}  // namespace llmroute::batch
