#include <algorithm>
#include <type_traits>

#include "app/retake.h"
#include "base/packed.h"
#include "core/tokens.h"

namespace llmroute::app {
namespace {

using base::Packer;
using base::Unpacker;

constexpr uint8_t kVersion = 1;

// Of bytes, tokens, calls; sums of a few are in range.
constexpr int64_t kMostCounted = 1'000'000'000'000'000;

// The functions each_...() name the fields, to be packed or unpacked.

void each_analysis(auto& archive, auto& analysis) {
  for (auto& share : analysis.domain) archive(share);
  archive(analysis.difficulty);
  archive(analysis.slope);
  archive(analysis.confidence);
  archive(analysis.coverage);
  archive(analysis.output_tokens);
  archive(analysis.urgency);
  archive(analysis.language);
  archive.list(analysis.learned, [&](auto& learned) {
    archive(learned.model);
    archive(learned.logit);
  });
  archive.number(analysis.bytes, kMostCounted);
  archive.number(analysis.bytes_read, kMostCounted);
}

void each_option(auto& archive, auto& options) {
  archive(options.models);
  archive(options.models_from_environment);
  archive(options.route);
  archive(options.route_from_environment);
  archive(options.from_record);
  archive(options.profile);
  archive(options.worth);
  archive(options.wait);
  archive(options.tier);
  archive(options.min_tier);
  archive(options.max_tier);
  archive(options.allow);
  archive(options.deny);
  archive(options.require);
  archive(options.fallback);
  archive(options.no_fallback);
  archive(options.tags);
}

void each_pace(auto& archive, auto& pace) {
  archive.number(pace.calls, kMostCounted);
  archive.number(pace.failed, kMostCounted);
  archive(pace.failed_ago);
  archive(pace.first_token);
  archive(pace.per_token);
  archive(pace.freshness);
}

void each_judged(auto& archive, auto& judged) {
  archive(judged.verdicts.good);
  archive(judged.verdicts.bad);
  archive(judged.verdicts.at);
  archive.number(judged.count, kMostCounted);
}

void each_of_session(auto& archive, auto& session) {
  archive(session.name);
  archive(session.model);
  archive.number(session.cached_tokens, kMostCounted);
}

// All but the verdicts on models.
void each_experience(auto& archive, auto& experience, const core::Cell& cell) {
  archive(experience.unseen);
  archive.map(experience.paces, [&](auto& pace) { each_pace(archive, pace); });
  archive(experience.held);
  archive(experience.verdicts[cell.domain][static_cast<size_t>(cell.level)]);
}

// --- there -------------------------------------------------------------------

// Of the verdicts only those in the prompt's cell count.
void pack_experience(Packer& pack, const core::Experience& experience,
                     const core::Cell& cell) {
  each_experience(pack, experience, cell);
  std::map<std::string, core::Judged> judged;
  for (const auto& [model, all] : experience.judged) {
    const core::Judged* here = core::find_judged(experience, model, cell);
    if (here != nullptr) judged[model] = *here;
  }
  pack.map(judged, [&](const auto& one) { each_judged(pack, one); });
  pack(experience.session.has_value());
  if (experience.session) each_of_session(pack, *experience.session);
}

// Numbers of the rules whose conditions on text were met.
void pack_findings(Packer& pack, const Taken& taken) {
  const auto list = [&](auto found) {
    std::vector<int64_t> met;
    const std::vector<core::RuleTrace>& rules = taken.decision.rules;
    for (size_t i = 0; i < rules.size(); ++i) {
      if (found(rules[i]) == true) met.push_back(static_cast<int64_t>(i));
    }
    pack(met);
  };
  list([](const auto& rule) { return rule.pattern_matched; });
  list([](const auto& rule) { return rule.file_matched; });
  pack(taken.prompt.files.empty());
}

// --- and back ----------------------------------------------------------------

void unpack_experience(Unpacker& unpack, const core::Cell& cell,
                       core::Experience& experience) {
  each_experience(unpack, experience, cell);
  std::map<std::string, core::Judged> judged;
  unpack.map(judged, [&](auto& one) { each_judged(unpack, one); });
  for (auto& [model, one] : judged) {
    one.cell = cell;
    experience.judged[model].push_back(one);
  }
  bool has_session = false;
  unpack(has_session);
  if (has_session) each_of_session(unpack, experience.session.emplace());
}

void unpack_findings(Unpacker& unpack, const std::vector<core::Rule>& rules,
                     routing::Evidence& evidence) {
  std::vector<int64_t> patterns, files;
  unpack(patterns);
  unpack(files);
  unpack(evidence.no_files);
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto met = [i](const std::vector<int64_t>& numbers) {
      return std::ranges::find(numbers, static_cast<int64_t>(i)) !=
             numbers.end();
    };
    const core::Rule& rule = rules[i];
    if (!rule.pattern.empty()) evidence.patterns[rule.pattern] = met(patterns);
    if (!rule.files.empty()) evidence.files[rule.files] = met(files);
  }
}

}  // namespace

std::string pack_inputs(const Taken& taken) {
  const core::Analysis& analysis = taken.decision.analysis;
  const core::Experience* experience = taken.around.experience;
  Packer pack(kVersion);
  pack(taken.decision.candidates.front().input_tokens);
  pack(core::input_token_bound(taken.prompt));
  pack(taken.prompt.parameters.max_tokens);
  pack(taken.ceiling ? std::optional(taken.ceiling->pico) : std::nullopt);
  each_analysis(pack, analysis);
  each_option(pack, taken.options);
  pack_findings(pack, taken);
  pack(experience != nullptr);
  if (experience != nullptr) {
    pack_experience(pack, *experience, core::cell_of(analysis));
  }
  pack(taken.around.draw);
  if (taken.options.allow_unpriced) pack(true);  // younger than the version
  return pack.take();
}

base::Result<Inputs> unpack_inputs(std::string_view bytes,
                                   const std::vector<core::Rule>& rules) {
  Inputs inputs;
  Unpacker unpack(bytes, kVersion);
  unpack.number(inputs.evidence.sizes.input_tokens, kMostCounted);
  unpack.number(inputs.evidence.sizes.input_bound, kMostCounted);
  unpack(inputs.max_tokens);
  std::optional<int64_t> ceiling;
  unpack(ceiling);
  if (ceiling) inputs.ceiling = core::Money{*ceiling};
  each_analysis(unpack, inputs.analysis);
  each_option(unpack, inputs.options);
  unpack_findings(unpack, rules, inputs.evidence);
  bool has_experience = false;
  unpack(has_experience);
  if (has_experience) {
    unpack_experience(unpack, core::cell_of(inputs.analysis),
                      inputs.experience.emplace());
  }
  unpack(inputs.draw);
  const bool last = !unpack.has_more();
  if (!last) unpack(inputs.options.allow_unpriced);
  const bool sound = last || inputs.options.allow_unpriced;
  if (unpack.whole() && sound) return inputs;
  return base::Error{base::ErrorKind::kData,
                     "what the ledger kept of the decision makes no sense"};
}

}  // namespace llmroute::app
