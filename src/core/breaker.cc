#include "core/breaker.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.h"

namespace llmroute::core {
namespace {

constexpr std::chrono::seconds kSlice{10};

int64_t slice_number(Breaker::Time now) {
  return now.time_since_epoch() / kSlice;
}

constexpr std::chrono::seconds kLongestOpen{360};  // kLongestPause, spread

constexpr int64_t kLatest = 9'000'000'000'000;  // ms; Time holds little more

std::optional<std::vector<int64_t>> whole_numbers(std::string_view text) {
  std::vector<int64_t> numbers;
  for (const std::string& word : base::split(text, ' ')) {
    int64_t number = 0;
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    if (error != std::errc() || stop != end || number < -1) return std::nullopt;
    numbers.push_back(number);
  }
  return numbers;
}

// A count that was kept; too large a one is as good as the largest needed.
int count(int64_t number) {
  return static_cast<int>(std::clamp<int64_t>(number, 0, 1'000'000));
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

void Breaker::succeed(Time now, bool probe) {
  if (open_ && !probe) return;
  ++slice(now).ok;
  failures_in_a_row_ = 0;
  ++successes_in_a_row_;
  if (open_) slices_ = {};  // what was before the pause is over
  open_ = false;
  probing_ = false;
  if (successes_in_a_row_ >= kForgetAfter) openings_ = 0;
}

bool Breaker::fail(Time now, bool probe, double random) {
  if (open_ && !probe) return false;
  ++slice(now).failed;
  successes_in_a_row_ = 0;
  ++failures_in_a_row_;
  const State was = state(now);
  probing_ = false;
  if (was == State::kOpen) return false;
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

std::string Breaker::pack() const {
  const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(
      until_.time_since_epoch());
  std::string text = fmt::format("{:d} {} {} {} {}", open_, failures_in_a_row_,
                                 successes_in_a_row_, openings_, until.count());
  for (const Slice& it : slices_) {
    text += fmt::format(" {} {} {}", it.number, it.ok, it.failed);
  }
  return text;
}

std::optional<Breaker> Breaker::unpack(std::string_view text, Time now) {
  constexpr size_t kBefore = 5, kPerSlice = 3;
  const auto numbers = whole_numbers(text);
  Breaker breaker;
  if (!numbers ||
      numbers->size() != kBefore + kPerSlice * breaker.slices_.size()) {
    return std::nullopt;
  }
  const std::vector<int64_t>& n = *numbers;
  const std::chrono::milliseconds until(std::min(n[4], kLatest));
  breaker.until_ = Time(until);
  breaker.open_ = n[0] == 1 && breaker.until_ <= now + kLongestOpen;
  breaker.failures_in_a_row_ = count(n[1]);
  breaker.successes_in_a_row_ = count(n[2]);
  breaker.openings_ = count(n[3]);
  for (size_t i = 0; i < breaker.slices_.size(); ++i) {
    const size_t at = kBefore + kPerSlice * i;
    breaker.slices_[i] = {n[at], count(n[at + 1]), count(n[at + 2])};
  }
  return breaker;
}

}  // namespace llmroute::core
