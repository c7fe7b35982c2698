// Rows of the ledger as structs, and their columns by name, in one place for
// writing, for the spill file and for reading it back. Units are in the column
// names; the meaning of the columns is in schema.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llmroute::store {

using Integer = std::optional<int64_t>;
using Real = std::optional<double>;
using Text = std::optional<std::string>;

// Bytes that are no text.
struct Blob {
  std::string bytes;
};
using Bytes = std::optional<Blob>;

struct DecisionRow {
  std::string id;  // a ULID
  int64_t time = 0;
  std::string command;
  Text run;
  std::string requested, route, source;
  Text rule;
  std::string profile;
  Real worth_usd, wait_usd;
  Text domain;
  Real difficulty, confidence;
  std::string model;        // the first candidate
  Integer seed;             // of exploration
  Text propensities;        // a JSON object: model -> its chance to be chosen
  std::string tags = "{}";  // a JSON object of strings, keys sorted
  Text prompt_hash;
  Integer prompt_bytes, decision_us;
  Integer exit;  // unset: it has not ended, or its process died
  Text finish;
  Integer answer_bytes, ms;
  Text shared_inputs;  // a snapshot's hash
  Bytes inputs, outcome;
};

struct AttemptRow {
  int64_t number = 1;
  std::string model, provider;
  Text served;
  std::string state;  // "answered" or "failed"; the ledger sets the others
  Integer status;
  Text cause_class, cause;
  Integer waited_ms, ms, first_token_ms;
  Integer input_tokens, cached_tokens, cache_write_tokens, output_tokens,
      reasoning_tokens;
  Integer worst_pico, cost_pico;
  int64_t charged_pico = 0;
  std::string charged_as;
  Integer likely_pico;  // where the cost is not known: by what was sent and
                        // received; counts against no ceiling
  Integer strongest_pico, cheapest_pico;
  Integer hedge;  // 1: asked beside another that was silent; never number 1
};

// A decision and those of its attempts that have ended.
struct Recorded {
  DecisionRow decision;
  std::vector<AttemptRow> attempts;
};

// visit(name, member) for every column, in the order of the table.
template <class Row, class Visit>
void each_decision_column(Row& row, Visit&& visit) {
  visit("id", row.id);
  visit("time", row.time);
  visit("command", row.command);
  visit("run", row.run);
  visit("requested", row.requested);
  visit("route", row.route);
  visit("source", row.source);
  visit("rule", row.rule);
  visit("profile", row.profile);
  visit("worth_usd", row.worth_usd);
  visit("wait_usd", row.wait_usd);
  visit("domain", row.domain);
  visit("difficulty", row.difficulty);
  visit("confidence", row.confidence);
  visit("model", row.model);
  visit("seed", row.seed);
  visit("propensities", row.propensities);
  visit("tags", row.tags);
  visit("prompt_hash", row.prompt_hash);
  visit("prompt_bytes", row.prompt_bytes);
  visit("decision_us", row.decision_us);
  visit("exit", row.exit);
  visit("finish", row.finish);
  visit("answer_bytes", row.answer_bytes);
  visit("ms", row.ms);
  visit("shared_inputs", row.shared_inputs);
  visit("inputs", row.inputs);
  visit("outcome", row.outcome);
}

template <class Row, class Visit>
void each_attempt_column(Row& row, Visit&& visit) {
  visit("number", row.number);
  visit("model", row.model);
  visit("provider", row.provider);
  visit("served", row.served);
  visit("state", row.state);
  visit("status", row.status);
  visit("class", row.cause_class);
  visit("cause", row.cause);
  visit("waited_ms", row.waited_ms);
  visit("ms", row.ms);
  visit("first_token_ms", row.first_token_ms);
  visit("input_tokens", row.input_tokens);
  visit("cached_tokens", row.cached_tokens);
  visit("cache_write_tokens", row.cache_write_tokens);
  visit("output_tokens", row.output_tokens);
  visit("reasoning_tokens", row.reasoning_tokens);
  visit("worst_pico", row.worst_pico);
  visit("cost_pico", row.cost_pico);
  visit("charged_pico", row.charged_pico);
  visit("charged_as", row.charged_as);
  visit("likely_pico", row.likely_pico);
  visit("strongest_pico", row.strongest_pico);
  visit("cheapest_pico", row.cheapest_pico);
  visit("hedge", row.hedge);
}

}  // namespace llmroute::store
