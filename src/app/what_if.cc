#include "app/what_if.h"

#include <fmt/format.h>

#include "app/retake.h"
#include "base/json_writer.h"
#include "base/table.h"
#include "base/terminal_text.h"
#include "base/text.h"
#include "core/money_json.h"
#include "core/reply.h"

namespace llmroute::app {
namespace {

using core::Money;

core::Usage usage_of(const store::TakenDecision& taken) {
  core::Usage usage;
  usage.input = taken.input_tokens;
  usage.output = taken.output_tokens;
  usage.cached_input = taken.cached_tokens.value_or(0);
  usage.cache_write = taken.cache_write_tokens.value_or(0);
  return usage;
}

void count(Rerouting& change, const store::TakenDecision& taken,
           const core::Model& to) {
  ++change.decisions;
  const auto cost = core::cost_of(to, usage_of(taken));
  if (!cost || !taken.input_tokens || !taken.output_tokens) return;
  ++change.compared;
  change.was += Money{taken.cost_pico};
  change.would += *cost;
}

void add_money(base::JsonWriter& json, const Rerouting& change) {
  json.field("decisions", change.decisions);
  json.field("compared", change.compared);
  const auto known = [&](Money money) {
    return change.compared > 0 ? std::optional(money) : std::nullopt;
  };
  core::write_usd(json, "was_usd", known(change.was));
  core::write_usd(json, "would_usd", known(change.would));
}

std::string usd(const Rerouting& change, Money money) {
  return change.compared > 0 ? core::display_usd(money) : "?";
}

std::string decisions(int64_t count) {
  return base::with_thousands(count) +
         (count == 1 ? " decision" : " decisions");
}

std::string not_taken_text(const WhatIf& result) {
  std::string text;
  const auto add = [&](int64_t count, std::string_view why) {
    if (count > 0) {
      text +=
          fmt::format("{} cannot be taken again: {}\n", decisions(count), why);
    }
  };
  add(result.unknown_text,
      "a rule reads text of the prompt, which was not kept");
  add(result.not_kept, "what it takes is not in the ledger");
  add(result.no_answer, "no model could answer under it");
  return text;
}

}  // namespace

void WhatIfCollector::take(const store::TakenDecision& taken) {
  ++result_.decisions;
  const auto kept = kept_.find(taken.row.shared_inputs.value_or(""));
  const auto inputs =
      kept ? unpack_inputs(taken.row.inputs.value_or(store::Blob()).bytes,
                           kept->config->rules)
           : base::Result<Inputs>(kept.error());
  if (!inputs) {
    ++result_.not_kept;
    return;
  }
  const auto decision = decide_again(*inputs, kept->shared, other_, router_);
  if (decision && decision->undecided) {
    ++result_.unknown_text;
    return;
  }
  if (!decision || decision->candidates.empty()) {
    ++result_.no_answer;
    return;
  }
  const core::Model& to = *decision->candidates.front().model;
  count(result_.all, taken, to);
  if (to.name == taken.row.model) {
    ++result_.same;
    return;
  }
  ++result_.changed;
  count(result_.changes[{taken.row.model, to.name}], taken, to);
}

std::string what_if_text(const WhatIf& result) {
  std::string text = fmt::format(
      "{} under {}: {} stay, {} change\n", decisions(result.decisions),
      base::visible_line(result.with), base::with_thousands(result.same),
      base::with_thousands(result.changed));
  if (!result.changes.empty()) {
    base::Table table("llrrrr");
    table.add_row({"FROM", "TO", "DECISIONS", "COMPARED", "WAS", "WOULD BE"});
    for (const auto& [way, change] : result.changes) {
      table.add_row({base::visible_line(way.first),
                     base::visible_line(way.second),
                     base::with_thousands(change.decisions),
                     base::with_thousands(change.compared),
                     usd(change, change.was), usd(change, change.would)});
    }
    text += "\n" + table.render() + "\n";
  }
  text += fmt::format(
      "all together, by the tokens of {}: was {}, would be {}\n",
      decisions(result.all.compared), usd(result.all, result.all.was),
      usd(result.all, result.all.would));
  return text + not_taken_text(result);
}

std::string what_if_json(const WhatIf& result) {
  base::JsonWriter json;
  json.begin_object().field("schema", "llmroute.replay/1");
  json.field("with", result.with).field("decisions", result.decisions);
  json.field("same", result.same).field("changed", result.changed);
  json.key("not_taken").begin_object();
  json.field("unknown_text", result.unknown_text);
  json.field("not_kept", result.not_kept);
  json.field("no_answer", result.no_answer).end_object();
  json.key("changes").begin_array();
  for (const auto& [way, change] : result.changes) {
    json.begin_object().field("from", way.first).field("to", way.second);
    add_money(json, change);
    json.end_object();
  }
  json.end_array().key("all").begin_object();
  add_money(json, result.all);
  json.end_object().end_object();
  return json.take() + "\n";
}

}  // namespace llmroute::app
