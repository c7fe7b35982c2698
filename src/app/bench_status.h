// What `bench` is doing, for the one line on stderr that SIGUSR1 asks for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "app/messages.h"

namespace llmroute::app {

// While it lives, a thread of its own answers the signal, also in the middle of
// a long fit; without a thread to be had nobody does. At most one at a time,
// made before any other thread.
class BenchStatus {
 public:
  explicit BenchStatus(const Messages& messages);
  ~BenchStatus();
  BenchStatus(const BenchStatus&) = delete;
  BenchStatus& operator=(const BenchStatus&) = delete;

  // "reading outcomes.jsonl"; its rows count from 0.
  void begin(std::string phase);
  void add_row() { rows_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void answer() const;
  std::string line() const;

  const Messages& messages_;
  const std::chrono::steady_clock::time_point start_;
  mutable std::mutex mutex_;  // of phase_
  std::string phase_ = "starting";
  std::atomic<int64_t> rows_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace llmroute::app
