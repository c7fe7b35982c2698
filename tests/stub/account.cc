#include "stub/account.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "stub/offline_model.h"

namespace llmroute::stub {
namespace {

using base::JsonWriter;

JsonWriter event(std::string_view name) {
  JsonWriter json;
  json.begin_object().field("event", name).field("t", monotonic_ns());
  return json;
}

std::string hex_of(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

int64_t per_token(double usd_per_million) {
  return std::llround(usd_per_million * 1e6);
}

void add(Usage& sum, const Usage& usage) {
  sum.input += usage.input;
  sum.cached += usage.cached;
  sum.output += usage.output;
  sum.reasoning += usage.reasoning;
}

void write_usage(JsonWriter& json, const Usage& usage) {
  json.field("input_tokens", usage.input);
  json.field("cached_tokens", usage.cached);
  json.field("output_tokens", usage.output);
  json.field("reasoning_tokens", usage.reasoning);
}

// What is owed: nothing unless an answer has begun.
std::optional<Usage> owed(const Plan& plan, const Sent& sent) {
  if (!plan.usage || sent.head_bytes == 0) return std::nullopt;
  Usage usage = *plan.usage;
  if (plan.streamed && !sent.complete) {
    usage.output =
        std::min(usage.output, usage.reasoning + tokens_of(sent.text_bytes));
  }
  return usage;
}

}  // namespace

base::Result<Prices> parse_prices(const std::string& json) {
  const base::Error bad{base::ErrorKind::kUsage, "prices are not as expected"};
  simdjson::dom::parser parser;
  simdjson::dom::object models;
  if (parser.parse(json).get(models)) return bad;
  Prices prices;
  for (const auto& [model, fields] : models) {
    double input = 0, output = 0;
    if (fields["input"].get(input) || fields["output"].get(output)) return bad;
    double cached = input;
    if (fields["cached_input"].get(cached)) cached = input;
    prices[std::string(model)] = {per_token(input), per_token(cached),
                                  per_token(output)};
  }
  return prices;
}

void Account::write_line(std::string line) {
  line += '\n';
  if (log_.valid()) base::write_all(log_.get(), line);
}

int64_t Account::accepted(bool tls) {
  const std::lock_guard lock(mutex_);
  ++connections_;
  JsonWriter json = event("accept");
  json.field("conn", connections_).field("tls", tls);
  write_line(json.end_object().take());
  return connections_;
}

void Account::closed(int64_t connection, std::string_view note) {
  const std::lock_guard lock(mutex_);
  JsonWriter json = event("close");
  json.field("conn", connection).field("note", note);
  write_line(json.end_object().take());
}

uint64_t Account::arrived(int64_t connection, const Request& request,
                          const std::string& model) {
  JsonWriter json = event("request");
  json.field("conn", connection).field("method", request.method);
  json.field("target", request.target).field("path", request.path);
  json.field("model", model).key("headers").begin_array();
  for (const auto& [name, value] : request.headers) {
    json.begin_array().value(name).value(value).end_array();
  }
  json.end_array();
  if (base::find_invalid_utf8(request.body)) {
    json.field("body_hex", hex_of(request.body));
  } else {
    json.field("body", request.body);
  }
  const std::lock_guard lock(mutex_);
  ++requests_;
  ++all_.requests;
  ++by_model_[model].requests;
  most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
  json.field("seq", requests_).field("in_flight", in_flight_);
  write_line(json.end_object().take());
  return requests_;
}

int64_t Account::cost(const std::string& model, const Usage& usage) const {
  const auto found = prices_.find(model);
  if (found == prices_.end()) return 0;
  const Price& price = found->second;
  return (usage.input - usage.cached) * price.input +
         usage.cached * price.cached_input + usage.output * price.output;
}

void Account::done(uint64_t number, const std::string& model, const Plan& plan,
                   const Sent& sent, int rule_line,
                   const Connection& connection) {
  JsonWriter json = event("done");
  json.field("seq", number).field("status", plan.status);
  json.field("rule", rule_line).field("complete", sent.complete);
  json.field("client_closed",
             !sent.complete && connection.peer_left_ns().has_value());
  json.field("client_closed_t", connection.peer_left_ns());
  json.field("first_delta_t", sent.first_delta_ns);
  json.field("bytes_sent", sent.head_bytes + sent.body_bytes);
  json.field("body_bytes", sent.body_bytes);
  const std::optional<Usage> usage = owed(plan, sent);
  const int64_t pico = usage ? cost(model, *usage) : 0;
  if (usage) write_usage(json, *usage);
  json.field("pico_usd", pico);
  const std::lock_guard lock(mutex_);
  --in_flight_;
  for (Totals* totals : {&all_, &by_model_[model]}) {
    if (!usage) continue;
    ++totals->answers;
    add(totals->usage, *usage);
    totals->pico_usd += pico;
  }
  write_line(json.end_object().take());
}

void Account::write_totals(JsonWriter& json, const Totals& totals) {
  json.field("requests", totals.requests).field("answers", totals.answers);
  write_usage(json, totals.usage);
  json.field("pico_usd", totals.pico_usd);
}

std::string Account::report() const {
  const std::lock_guard lock(mutex_);
  JsonWriter json;
  json.begin_object();
  write_totals(json, all_);
  json.field("connections", connections_);
  json.field("in_flight", in_flight_);
  json.field("most_in_flight", most_in_flight_);
  json.key("by_model").begin_object();
  for (const auto& [model, totals] : by_model_) {
    json.key(model).begin_object();
    write_totals(json, totals);
    json.end_object();
  }
  return json.end_object().end_object().take();
}

}  // namespace llmroute::stub
