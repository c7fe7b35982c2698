#include "core/breaker.h"

#include <algorithm>

namespace llmroute::core {
namespace {

constexpr std::chrono::seconds kSlice{10};

int64_t slice_number(Breaker::Time now) {
  return now.time_since_epoch() / kSlice;
}

}  // namespace

Breaker::State Breaker::state(Time now) const {
  if (!open_) return State::kClosed;
  return now < until_ ? State::kOpen : State::kHalfOpen;
}

Breaker::Slice& Breaker::slice(Time now) {
  const int64_t number = slice_number(now);
  Slice& it = slices_[static_cast<size_t>(number) % slices_.size()];
  if (it.number != number) it = {number, 0, 0};
  return it;
}

bool Breaker::half_failed(Time now) const {
  const int64_t oldest =
      slice_number(now) - static_cast<int64_t>(slices_.size());
  int ok = 0, failed = 0;
  for (const Slice& it : slices_) {
    if (it.number <= oldest) continue;
    ok += it.ok;
    failed += it.failed;
  }
  return ok + failed >= kFewest && failed >= ok;
}

void Breaker::succeed(Time now) {
  ++slice(now).ok;
  failures_in_a_row_ = 0;
  ++successes_in_a_row_;
  if (open_) slices_ = {};  // what was before the pause is over
  open_ = false;
  probing_ = false;
  if (successes_in_a_row_ >= kForgetAfter) openings_ = 0;
}

bool Breaker::fail(Time now, double random) {
  ++slice(now).failed;
  successes_in_a_row_ = 0;
  ++failures_in_a_row_;
  const State was = state(now);
  probing_ = false;
  if (was == State::kOpen) return false;  // called before it opened
  const bool opens = was == State::kHalfOpen ||
                     failures_in_a_row_ >= kConsecutive || half_failed(now);
  if (!opens) return false;
  const auto pause = std::min<std::chrono::seconds>(
      kLongestPause, kFirstPause * (int64_t{1} << std::min(openings_, 10)));
  ++openings_;
  open_ = true;
  until_ = now + std::chrono::duration_cast<Time::duration>(
                     pause * (0.8 + 0.4 * random));
  return true;
}

}  // namespace llmroute::core
