#include <algorithm>
#include <bit>

#include "app/retake.h"
#include "base/json_writer.h"
#include "base/packed.h"
#include "base/sha256.h"

namespace llmroute::app {
namespace {

using base::JsonWriter;

constexpr uint8_t kVersion = 1;

struct Chosen {
  std::string_view model;
  double good = 0;
  std::optional<int64_t> cost_pico;
  double seconds = 0;
  std::optional<int64_t> output_cap;
  double worth = 0;
};

struct Outcome {
  std::string_view requested, route, source;
  std::optional<std::string_view> rule;
  std::string_view profile;
  double worth = 0, wait = 0, difficulty_used = 0;
  std::vector<Chosen> candidates;  // the first ones
  std::string_view fingerprint;    // of everything
};

// To be packed or unpacked.
void each_field(auto& archive, auto& outcome) {
  archive(outcome.requested);
  archive(outcome.route);
  archive(outcome.source);
  archive(outcome.rule);
  archive(outcome.profile);
  archive(outcome.worth);
  archive(outcome.wait);
  archive(outcome.difficulty_used);
  archive.list(outcome.candidates, [&](auto& candidate) {
    archive(candidate.model);
    archive(candidate.good);
    archive(candidate.cost_pico);
    archive(candidate.seconds);
    archive(candidate.output_cap);
    archive(candidate.worth);
  });
  archive(outcome.fingerprint);
}

// Takes in values one after the other, so that no two sequences of them are
// the same bytes.
class Fingerprinter {
 public:
  Fingerprinter() { bytes_.reserve(512); }
  Fingerprinter& text(std::string_view text) {
    number(text.size());
    bytes_ += text;
    return *this;
  }
  Fingerprinter& number(uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      bytes_ += static_cast<char>(number >> shift);
    }
    return *this;
  }
  Fingerprinter& real(double number) {
    return this->number(std::bit_cast<uint64_t>(number));
  }
  // Of a list: before each item, and after the last.
  Fingerprinter& item() { return number(1); }
  Fingerprinter& end() { return number(0); }
  base::Fingerprint take() const { return base::fingerprint(bytes_); }

 private:
  std::string bytes_;
};

void take_candidates(Fingerprinter& all, const core::Decision& decision) {
  for (const core::Candidate& candidate : decision.candidates) {
    all.item().text(candidate.model->name).real(candidate.good);
    all.number(candidate.cost.has_value());
    if (candidate.cost) all.number(static_cast<uint64_t>(candidate.cost->pico));
    all.real(candidate.seconds).real(candidate.worth);
    all.number(static_cast<uint64_t>(candidate.output_cap.value_or(-1)));
  }
  all.end();
}

void take_excluded(Fingerprinter& all, const core::Decision& decision) {
  for (const core::Exclusion& excluded : decision.excluded) {
    if (excluded.gate == core::Gate::kKey) continue;  // the inputs name them
    all.item().text(excluded.model->name).text(excluded.reason);
    all.number(static_cast<uint64_t>(excluded.gate));
  }
  all.end();
}

// What a decision is told apart by, but for its head.
base::Fingerprint fingerprint(const core::Decision& decision) {
  Fingerprinter all;
  take_candidates(all, decision);
  take_excluded(all, decision);
  for (const core::RuleTrace& rule : decision.rules) {
    all.item().text(rule.rule->name).number(rule.matched).text(rule.why);
  }
  all.end().text(decision.prompt_template).number(decision.no_fallback);
  for (const std::string& note : decision.notes) all.text(note);
  return all.take();
}

std::vector<Chosen> first_candidates(const core::Decision& decision) {
  constexpr size_t kKept = 8;
  std::vector<Chosen> kept;
  kept.reserve(std::min(kKept, decision.candidates.size()));
  for (const core::Candidate& candidate : decision.candidates) {
    if (kept.size() == kKept) break;
    kept.push_back(
        {candidate.model->name, candidate.good,
         candidate.cost ? std::optional(candidate.cost->pico) : std::nullopt,
         candidate.seconds, candidate.output_cap, candidate.worth});
  }
  return kept;
}

void add_candidate(JsonWriter& json, const Chosen& candidate) {
  json.begin_object().field("model", candidate.model);
  json.field("good", candidate.good);
  json.field("cost_pico", candidate.cost_pico);
  json.field("seconds", candidate.seconds);
  json.field("output_cap", candidate.output_cap);
  json.field("worth", candidate.worth).end_object();
}

std::string json_of(const Outcome& outcome) {
  JsonWriter json;
  json.begin_object().field("requested", outcome.requested);
  json.field("route", outcome.route).field("source", outcome.source);
  if (outcome.rule) json.field("rule", *outcome.rule);
  json.field("profile", outcome.profile).field("worth", outcome.worth);
  json.field("wait", outcome.wait);
  json.field("difficulty_used", outcome.difficulty_used);
  json.list("candidates", outcome.candidates, add_candidate);
  const auto* bytes =
      reinterpret_cast<const uint8_t*>(outcome.fingerprint.data());
  json.field("fingerprint", base::hex({bytes, outcome.fingerprint.size()}));
  json.end_object();
  return json.take();
}

}  // namespace

std::string pack_outcome(const core::Decision& decision) {
  const base::Fingerprint all = fingerprint(decision);
  Outcome outcome;
  outcome.requested = decision.requested;
  outcome.route = decision.route;
  outcome.source = core::source_name(decision.source);
  if (decision.rule) outcome.rule = *decision.rule;
  outcome.profile = decision.profile;
  outcome.worth = decision.worth.good_answer;
  outcome.wait = decision.worth.second;
  outcome.difficulty_used = decision.difficulty_used;
  outcome.candidates = first_candidates(decision);
  outcome.fingerprint = {reinterpret_cast<const char*>(all.data()), all.size()};
  base::Packer pack(kVersion);
  each_field(pack, outcome);
  return pack.take();
}

base::Result<std::string> outcome_json(std::string_view bytes) {
  Outcome outcome;
  base::Unpacker unpack(bytes, kVersion, base::Unpacker::Reals::kAny);
  each_field(unpack, outcome);
  if (unpack.whole()) return json_of(outcome);
  return base::Error{base::ErrorKind::kData,
                     "what the ledger kept of the outcome makes no sense"};
}

}  // namespace llmroute::app
