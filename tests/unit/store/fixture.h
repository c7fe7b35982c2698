// A ledger in a directory of its own.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/date.h"
#include "base/files.h"
#include "store/ledger.h"
#include "store/ledger_file.h"

namespace llmroute::store {

inline constexpr int64_t kNoon = 1'795'867'200'000;  // 2026-11-28T12:00:00Z
inline constexpr int64_t kHour = 3'600'000;
inline constexpr int64_t kCent = 10'000'000'000;  // picodollars

class LedgerTest {
 public:
  LedgerTest() {
    REQUIRE(::mkdtemp(directory_.data()) != nullptr);
    const auto real = ledger_path(directory_ + "/ledger.db");
    REQUIRE(real);
    path = *real;
  }
  ~LedgerTest() { std::filesystem::remove_all(directory_); }
  LedgerTest(const LedgerTest&) = delete;

  Ledger open() const {
    auto ledger = Ledger::open(path, {});
    if (!ledger) FAIL(ledger.error().message);
    return std::move(*ledger);
  }
  int64_t number(const std::string& sql) const {
    Ledger ledger = open();
    const auto found = ledger.database().integer(sql);
    REQUIRE(found);
    return found->value_or(-1);
  }
  std::string text(const std::string& sql) const {
    Ledger ledger = open();
    const auto found = ledger.database().text(sql);
    REQUIRE(found);
    return found->value_or("NULL");
  }
  void overwrite(const std::string& file, const std::string& bytes) const {
    const base::Descriptor out(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    REQUIRE(base::write_all(out.get(), bytes) == 0);
  }

  std::string path;

 private:
  std::string directory_ =
      std::filesystem::temp_directory_path() / "llmroute-ledger-XXXXXX";
};

inline DecisionRow decision(int64_t time = kNoon) {
  DecisionRow row;
  row.id = base::make_ulid(base::moment_of(time));
  row.command = "run";
  row.requested = row.route = "auto";
  row.source = "analyzer";
  row.profile = "balanced";
  row.model = "small";
  return row;
}

inline AttemptRow answered(int64_t cost, int64_t number = 1) {
  AttemptRow row;
  row.number = number;
  row.model = "small";
  row.provider = "stub";
  row.state = "answered";
  row.input_tokens = 10;
  row.output_tokens = 5;
  row.ms = 7;
  row.cost_pico = row.charged_pico = cost;
  row.charged_as = "usage";
  return row;
}

}  // namespace llmroute::store
