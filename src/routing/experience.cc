#include "routing/experience.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/cell.h"
#include "routing/selection.h"

namespace llmroute::routing {
namespace {

using core::Candidate;
using core::Decision;
using core::Money;

void move_to_front(std::vector<Candidate>& candidates, size_t from) {
  std::rotate(candidates.begin(),
              candidates.begin() + static_cast<ptrdiff_t>(from),
              candidates.begin() + static_cast<ptrdiff_t>(from) + 1);
}

// Dollars that the cached part of the prompt costs more elsewhere.
double lost_cache(const Candidate& kept, int64_t cached_tokens) {
  const core::Price& price = kept.model->price_for(kept.input_tokens);
  if (!price.input || !price.cached_input) return 0;
  const int64_t tokens = std::min(cached_tokens, kept.input_tokens);
  return std::max(0.0, (*price.input * tokens).usd() -
                           (*price.cached_input * tokens).usd());
}

// What there is to hold against a model that was called before. A failure
// counts as its time-out; nobody has waited that long.
std::string held_against(const Candidate& candidate) {
  if (candidate.failed_ago) {
    return fmt::format("its last call failed, {} s ago (it counts as {:.1f} s)",
                       *candidate.failed_ago, candidate.seconds_measured);
  }
  if (candidate.failed > 0) {
    return fmt::format(
        "it counted as {:.1f} s when it was last measured, which is long ago, "
        "{} of {} calls having failed",
        candidate.seconds_measured, candidate.failed, candidate.calls);
  }
  return fmt::format(
      "it took {:.1f} s when it was last measured, which is long ago",
      candidate.seconds_measured);
}

}  // namespace

void learn_from_verdicts(const core::Experience& experience,
                         const core::Analysis& analysis, Candidate& candidate) {
  const core::Cell cell = core::cell_of(analysis);
  const core::Judged* judged =
      core::find_judged(experience, candidate.model->name, cell);
  candidate.listed_good =
      chance_good(analysis, *candidate.model, analysis.difficulty);
  if (judged == nullptr) return;
  const double now =
      experience.verdicts[cell.domain][static_cast<size_t>(cell.level)];
  candidate.verdicts = judged->count;
  candidate.learned = core::correction_of(
      candidate.listed_good, judged->verdicts.mean(candidate.listed_good, now));
}

void note_try(Decision& decision) {
  if (decision.candidates.size() < 2) return;
  const Candidate& first = decision.candidates[0];
  const Candidate& second = decision.candidates[1];
  const double gained =
      decision.worth.second * (first.seconds_measured - first.seconds);
  if (gained <= 0 || first.worth - gained >= second.worth) return;
  decision.notes.push_back(
      first.calls > 0
          ? fmt::format("{} is tried again: {}; {:.1f} s may do now",
                        first.model->name, held_against(first), first.seconds)
          : fmt::format("{} is tried: it was never called; {:.1f} s is listed, "
                        "{:.1f} s may do",
                        first.model->name, first.seconds_listed,
                        first.seconds));
}

void keep_session(const core::Session& session, double margin,
                  Decision& decision) {
  std::vector<Candidate>& all = decision.candidates;
  const auto kept =
      std::find_if(all.begin(), all.end(), [&](const Candidate& candidate) {
        return candidate.model->name == session.model;
      });
  if (kept == all.end() || kept == all.begin()) return;
  const double gain = all.front().worth - kept->worth;
  const double switching = margin * decision.worth.good_answer;
  const double cache = lost_cache(*kept, session.cached_tokens);
  const bool stays = gain <= switching + cache;
  decision.notes.push_back(fmt::format(
      "session {} {} {}: {} gains {}, the switch margin is {} and the lost "
      "prompt cache {}",
      session.name, stays ? "stays with" : "leaves", session.model,
      all.front().model->name, core::display_usd(gain),
      core::display_usd(switching), core::display_usd(cache)));
  if (stays) move_to_front(all, static_cast<size_t>(kept - all.begin()));
}

void explore(const Chance& chance, Decision& decision) {
  std::vector<Candidate>& all = decision.candidates;
  const double temperature = kTemperature * decision.worth.good_answer;
  if (chance.share <= 0 || all.size() < 2 || temperature <= 0) return;
  decision.explored = true;
  const double best = all.front().worth;
  double sum = 0;
  for (Candidate& candidate : all) {
    const double loss = std::min(0.0, candidate.worth - best);
    candidate.propensity = candidate.cost ? std::exp(loss / temperature) : 0;
    sum += candidate.propensity;
  }
  if (sum <= 0) all.front().propensity = sum = 1;
  size_t chosen = 0;
  double left = chance.draw;
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].propensity *= chance.share / sum;
    if (i == 0) all[i].propensity += 1 - chance.share;
    if (left >= 0 && all[i].propensity > 0) chosen = i;
    left -= all[i].propensity;
  }
  if (chosen == 0) return;
  decision.notes.push_back(
      fmt::format("chance chose {} (probability {:.3g}) over {}, which is "
                  "worth more",
                  all[chosen].model->name, all[chosen].propensity,
                  all.front().model->name));
  move_to_front(all, chosen);
}

}  // namespace llmroute::routing
