// The stub's own account: a log of what came and went, and totals of requests,
// tokens and money. It is the oracle of the tests for "nothing twice" and
// "nothing overspent", so it counts what a provider would bill: the input once
// an answer has begun, and the output that has left (without streaming: all of
// it), whether or not the client stayed to read it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "stub/compose.h"
#include "stub/connection.h"
#include "stub/http.h"
#include "stub/send.h"

namespace llmroute::stub {

// Picodollars per token.
struct Price {
  int64_t input = 0, cached_input = 0, output = 0;
};
using Prices = std::map<std::string, Price, std::less<>>;

// {"model":{"input":1.0,"output":2.0,"cached_input":0.1}}, USD per million
// tokens; without cached_input, cached tokens cost as much as the others.
base::Result<Prices> parse_prices(const std::string& json);

// Thread-safe. Every log line is one write, made before the call returns.
class Account {
 public:
  // `log` may be invalid: no log is kept.
  Account(Prices prices, base::Descriptor log)
      : prices_(std::move(prices)), log_(std::move(log)) {}

  int64_t accepted(bool tls);  // the number of the connection, from 1
  void closed(int64_t connection, std::string_view note);

  // The number of the request, from 1.
  uint64_t arrived(int64_t connection, const Request& request,
                   const std::string& model);
  void done(uint64_t number, const std::string& model, const Plan& plan,
            const Sent& sent, int rule_line, const Connection& connection);

  // The totals as JSON.
  std::string report() const;

 private:
  struct Totals {
    int64_t requests = 0, answers = 0;
    Usage usage;
    int64_t pico_usd = 0;
  };
  void write_line(std::string line);
  static void write_totals(base::JsonWriter& json, const Totals& totals);
  int64_t cost(const std::string& model, const Usage& usage) const;

  const Prices prices_;
  const base::Descriptor log_;
  mutable std::mutex mutex_;
  int64_t connections_ = 0;
  uint64_t requests_ = 0;
  int64_t in_flight_ = 0, most_in_flight_ = 0;
  Totals all_;
  std::map<std::string, Totals, std::less<>> by_model_;
};

}  // namespace llmroute::stub
