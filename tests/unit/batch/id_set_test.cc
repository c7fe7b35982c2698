#include "batch/id_set.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "../config/temporary.h"

namespace llmroute::batch {
namespace {

using base::ErrorKind;
using base::Fingerprint;
using config::TemporaryDirectory;

std::string id(int n) { return "row-" + std::to_string(n); }

}  // namespace

TEST_CASE("an id is new once, in memory and on disk") {
  const TemporaryDirectory directory;
  IdSet seen(directory.path());
  constexpr int kIds = 200'000;  // more than fit into memory
  for (int i = 0; i < kIds; ++i) {
    const auto fresh = seen.insert(id(i));
    REQUIRE(fresh);
    if (!*fresh) FAIL_CHECK(id(i));
    if (i % 7 != 0) continue;
    const auto again = seen.insert(id(i / 2));
    REQUIRE(again);
    if (*again) FAIL_CHECK(id(i / 2));
  }
  for (int i = 0; i < kIds; ++i) {
    const auto again = seen.insert(id(i));
    REQUIRE(again);
    if (*again) FAIL_CHECK(id(i));
  }
  CHECK(*seen.insert(""));
  CHECK(!*seen.insert(""));
}

TEST_CASE("ids that come together are told apart as if they came one by one") {
  const TemporaryDirectory directory;
  IdSet seen(directory.path());
  constexpr int kIds = 60'000;  // more than fit into memory
  for (int from = 0; from < kIds; from += 100) {
    std::vector<Fingerprint> ids;  // 200, half of which were there before
    for (int i = 0; i < 200; ++i) {
      ids.push_back(base::fingerprint(id(from + i % 100)));
    }
    size_t expected = 0;
    const auto is_new = [&expected](size_t i, bool fresh) {
      if (i != expected++ || fresh != (i < 100)) FAIL_CHECK(i);
    };
    REQUIRE(seen.insert(ids, is_new));
    CHECK(expected == ids.size());
  }
}

TEST_CASE("the scratch file of many ids has no name") {
  const TemporaryDirectory directory;
  IdSet seen(directory.path());
  for (int i = 0; i < 100'000; ++i) REQUIRE(seen.insert(id(i)));
  CHECK(::rmdir(directory.path().c_str()) == 0);
  CHECK(*seen.insert("another"));
}

TEST_CASE("F4 many ids without a place for the scratch file are an error") {
  IdSet seen("/nonexistent/directory");
  int i = 0;
  auto fresh = seen.insert(id(i));
  while (fresh && i < 100'000) fresh = seen.insert(id(++i));
  REQUIRE(!fresh);
  CHECK(fresh.error().kind == ErrorKind::kCannotCreate);
  CHECK(i >= 22'000);
}

// Keys that agree in their first bits collide all the time.
TEST_CASE("a map holds what a plain map holds, however its keys collide") {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const TemporaryDirectory directory;
    FingerprintMap map(directory.path());
    std::unordered_map<std::string, uint64_t> plain;
    for (int i = 0; i < 8'000; ++i) {
      Fingerprint key{};
      key[0] = static_cast<uint8_t>(random());
      key[7] = static_cast<uint8_t>(0xff - random() % seed);  // high bits
      key[15] = static_cast<uint8_t>(random() % 8);
      const std::string name(key.begin(), key.end());
      const uint64_t value = random();
      if (random() % 2 == 0) {
        const auto fresh = map.insert(key, value);
        REQUIRE(fresh);
        REQUIRE(*fresh == plain.try_emplace(name, value).second);
      } else {
        REQUIRE(map.set(key, value));
        plain[name] = value;
      }
      REQUIRE(*map.find(key) == plain.at(name));
      REQUIRE(map.size() == plain.size());
    }
    for (const auto& [name, value] : plain) {
      Fingerprint key{};
      std::copy(name.begin(), name.end(), key.begin());
      REQUIRE(*map.find(key) == value);
    }
  }
}

TEST_CASE("a map finds nothing that was not put there") {
  FingerprintMap map("/nonexistent/directory");
  CHECK(!map.find(Fingerprint{})->has_value());
  CHECK(map.set(Fingerprint{}, 0));
  CHECK(*map.find(Fingerprint{}) == 0);
  CHECK(!map.find(base::fingerprint("a"))->has_value());
}

}  // namespace llmroute::batch
