#include <string_view>

#include "app/usage_report.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "core/money_json.h"

namespace llmroute::app {
namespace {

using base::JsonWriter;
using core::Money;
using store::Spend;

void add_usd(JsonWriter& json, std::string_view key, Money money) {
  json.key(key).raw(core::format_usd(money));
}

// Null where no call's cost is known.
void add_spend(JsonWriter& json, const Spend& spend) {
  json.field("calls", spend.calls).field("answered", spend.answered);
  json.field("failed", spend.calls - spend.answered);
  json.field("ms", spend.ms).field("input_tokens", spend.input_tokens);
  json.field("cached_tokens", spend.cached_tokens);
  json.field("output_tokens", spend.output_tokens);
  json.key("usd");
  if (spend.unknown > 0 && spend.unknown == spend.calls) {
    json.null();
  } else {
    json.raw(core::format_usd(Money{spend.cost_pico}));
  }
  add_usd(json, "charged_usd", Money{spend.charged_pico});
  add_usd(json, "likely_usd", Money{spend.likely_pico});
  json.field("unknown", spend.unknown).field("estimated", spend.estimated);
  json.field("orphans", spend.orphans);
}

void add_rows(JsonWriter& json, const UsageReport& report) {
  json.key("by").begin_array();
  for (const auto by : report.by) json.value(store::grouping_name(by));
  json.end_array().key("rows").begin_array();
  for (const store::SpendRow& row : report.rows) {
    json.begin_object();
    for (size_t i = 0; i < row.keys.size(); ++i) {
      json.field(store::grouping_name(report.by[i]), row.keys[i]);
    }
    add_spend(json, row.spend);
    json.end_object();
  }
  json.end_array().key("total").begin_object();
  add_spend(json, report.total);
  json.end_object();
}

void add_held(JsonWriter& json, const store::HeldSums& held) {
  json.key("held").begin_object().field("calls", held.calls);
  add_usd(json, "usd", Money{held.pico});
  json.field("dead_calls", held.dead_calls);
  add_usd(json, "dead_usd", Money{held.dead_pico});
  json.end_object();
}

void add_days(JsonWriter& json, const UsageReport& report) {
  json.key("days").begin_array();
  for (const store::SpendRow& day : report.days) {
    json.begin_object().field("day", day.keys[0]);
    add_usd(json, "charged_usd", Money{day.spend.charged_pico});
    json.end_object();
  }
  json.end_array();
}

void add_baselines(JsonWriter& json, const UsageReport& report) {
  json.key("baselines").begin_array();
  for (const Baseline& baseline : report.baselines) {
    json.begin_object().field("name", baseline.name);
    json.field("constant", baseline.constant);
    const bool known = baseline.compared > 0;
    const auto add_known = [&](std::string_view key, Money amount) {
      core::write_usd(json, key, known ? std::optional(amount) : std::nullopt);
    };
    add_known("usd", baseline.cost);
    add_known("spent_usd", baseline.spent);
    add_known("saved_usd", baseline.saved());
    json.field("compared", baseline.compared);
    json.field("not_compared", baseline.not_compared).end_object();
  }
  json.end_array();
}

void add_ceilings(JsonWriter& json, const UsageReport& report) {
  json.key("ceilings").begin_array();
  for (const CeilingState& ceiling : report.ceilings) {
    json.begin_object().field("name", ceiling.name);
    json.field("window", ceiling.window);
    add_usd(json, "limit_usd", ceiling.limit);
    add_usd(json, "settled_usd", ceiling.settled);
    add_usd(json, "held_usd", ceiling.held);
    add_usd(json, "left_usd", ceiling.left());
    json.end_object();
  }
  json.end_array();
}

// RFC 4180. A cell that begins like a formula begins with a quote instead.
std::string csv_cell(std::string text) {
  constexpr std::string_view kFormula = "=+-@\t\r";
  if (!text.empty() && kFormula.find(text[0]) != std::string_view::npos) {
    text.insert(text.begin(), '\'');
  }
  if (text.find_first_of(",\"\r\n\t'") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

std::string usage_json(const UsageReport& report) {
  JsonWriter json;
  json.begin_object().field("schema", "llmroute.usage/1");
  json.field("since", report.since).field("until", report.until);
  json.field("ledgers", report.ledgers);
  add_rows(json, report);
  add_held(json, report.held);
  add_baselines(json, report);
  add_ceilings(json, report);
  add_days(json, report);
  json.end_object();
  return json.take() + "\n";
}

std::string usage_csv(const UsageReport& report) {
  std::vector<std::string> head;
  for (const auto by : report.by) head.emplace_back(store::grouping_name(by));
  for (const char* name : {"calls", "answered", "input_tokens", "cached_tokens",
                           "output_tokens", "usd", "charged_usd", "likely_usd",
                           "unknown", "estimated", "orphans"}) {
    head.emplace_back(name);
  }
  std::string text = base::join(head, ",") + "\n";
  for (const store::SpendRow& row : report.rows) {
    const Spend& spend = row.spend;
    const bool known = spend.unknown < spend.calls;
    std::vector<std::string> cells;
    for (const std::string& key : row.keys) cells.push_back(csv_cell(key));
    for (const int64_t count : {spend.calls, spend.answered, spend.input_tokens,
                                spend.cached_tokens, spend.output_tokens}) {
      cells.push_back(std::to_string(count));
    }
    cells.push_back(known ? core::format_usd(Money{spend.cost_pico}) : "");
    cells.push_back(core::format_usd(Money{spend.charged_pico}));
    cells.push_back(core::format_usd(Money{spend.likely_pico}));
    for (const int64_t count :
         {spend.unknown, spend.estimated, spend.orphans}) {
      cells.push_back(std::to_string(count));
    }
    text += base::join(cells, ",") + "\n";
  }
  return text;
}

}  // namespace llmroute::app
