#include "base/clock.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <ctime>

namespace llmroute::base {

int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             wall_now().time_since_epoch())
      .count();
}

std::string format_utc(Wall time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const size_t length =
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

namespace {

// Of every ask for more the kernel takes about a microsecond.
std::array<uint8_t, 16> random_bytes() {
  thread_local std::array<std::array<uint8_t, 16>, 16> pool;
  thread_local size_t left = 0;
  if (left == 0) {
    // Without a random source an id is still unique enough in time order.
    (void)!getrandom(pool.data(), sizeof pool, 0);
    left = pool.size();
  }
  return pool[--left];
}

}  // namespace

std::string make_ulid(Wall time) {
  constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  auto ms = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(
          time.time_since_epoch())
          .count());
  const std::array<uint8_t, 16> random = random_bytes();
  std::string id(26, '0');
  for (size_t i = 10; i-- > 0; ms >>= 5) id[i] = kAlphabet[ms & 31];
  for (size_t i = 0; i < random.size(); ++i)
    id[10 + i] = kAlphabet[random[i] & 31];
  return id;
}

}  // namespace llmroute::base
