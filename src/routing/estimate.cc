#include "routing/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "core/tokens.h"

namespace llmroute::routing {
namespace {

using core::Candidate;
using core::Model;
using core::Money;

// Where the window or the ceiling, not the user, limits the answer, there must
// be room for at least this much, and for this many times the expected length:
// an answer that is cut is paid for and of no use.
constexpr int64_t kLeastAnswer = 64;
constexpr double kLengthMargin = 2;

// The dearest price that can apply to at most `input_bound` tokens.
core::Price dearest_price(const Model& model, int64_t input_bound) {
  core::Price dearest = model.price;
  const auto raise = [](std::optional<Money>& to,
                        const std::optional<Money>& from) {
    if (to && from) to = std::max(*to, *from);
  };
  // A cache write may be charged above the plain input price, thinking above
  // that of output.
  raise(dearest.input, model.price.cache_write);
  raise(dearest.output, model.price.reasoning);
  for (const core::PriceTier& step : model.price_tiers) {
    if (input_bound <= step.above_input_tokens) break;
    raise(dearest.input, step.price.input);
    raise(dearest.input, step.price.cache_write);
    raise(dearest.output, step.price.output);
    raise(dearest.output, step.price.reasoning);
  }
  return dearest;
}

std::optional<int64_t> window_room(const Model& model, int64_t input) {
  if (!model.context_window) return model.max_output_tokens;
  const int64_t room = std::max<int64_t>(0, *model.context_window - input);
  return std::min(room, model.max_output_tokens.value_or(room));
}

// Tokens of output that `ceiling` pays for in the worst case.
std::optional<int64_t> affordable(const Model& model, int64_t input_bound,
                                  Money ceiling) {
  const core::Price price = dearest_price(model, input_bound);
  if (!price.input || !price.output) return std::nullopt;
  const Money left = ceiling - *price.input * input_bound;
  if (left < Money{}) return -1;
  if (price.output->pico == 0) return std::nullopt;  // any length is paid for
  return left.pico / price.output->pico;
}

std::optional<int64_t> output_cap(const Model& model, const Sizes& sizes,
                                  const core::Prompt& prompt,
                                  std::optional<Money> ceiling) {
  std::optional<int64_t> cap = prompt.parameters.max_tokens;
  const std::optional<int64_t> room = window_room(model, sizes.input_tokens);
  if (room) cap = std::min(cap.value_or(*room), *room);
  if (ceiling) {
    if (const auto paid = affordable(model, sizes.input_bound, *ceiling)) {
      cap = std::min(cap.value_or(*paid), *paid);
    }
  }
  return cap;
}

// Of a token, where the price is known.
Money dearest_output(const Candidate& candidate, const core::Prompt& prompt) {
  const core::Price price =
      dearest_price(*candidate.model, core::input_token_bound(prompt));
  return price.output.value_or(Money{});
}

double answer_seconds(const Candidate& candidate, double first_token,
                      double per_token) {
  return first_token + static_cast<double>(candidate.output_tokens) * per_token;
}

// What is still believed of a measurement, if `best` is possible too.
double aged(double measured, double best, double freshness) {
  if (measured <= best) return measured;
  return best + (measured - best) * freshness;
}

}  // namespace

double seconds_per_token(const Model& model) {
  return 1 / std::max(0.1, model.tokens_per_second);
}

Sizes measure(const core::Prompt& prompt) {
  return {core::estimate_input_tokens(prompt), core::input_token_bound(prompt)};
}

Candidate estimate(const Model& model, const core::Provider& provider,
                   const Sizes& sizes, const core::Analysis& analysis,
                   const core::Prompt& prompt, std::optional<Money> ceiling) {
  Candidate candidate;
  candidate.model = &model;
  candidate.provider = &provider;
  candidate.input_tokens = sizes.input_tokens;
  candidate.output_cap = output_cap(model, sizes, prompt, ceiling);
  const double expected =
      std::max(1.0, analysis.output_tokens * model.verbosity);
  candidate.output_tokens = std::llround(expected);
  candidate.output_needed = std::min(
      prompt.parameters.max_tokens.value_or(INT64_MAX),
      std::max<int64_t>(kLeastAnswer, std::llround(kLengthMargin * expected)));
  if (candidate.output_cap) {
    candidate.output_tokens =
        std::clamp<int64_t>(candidate.output_tokens, 0,
                            std::max<int64_t>(0, *candidate.output_cap));
  }
  candidate.seconds = answer_seconds(candidate, model.first_token_seconds,
                                     seconds_per_token(model));
  candidate.seconds_listed = candidate.seconds_measured = candidate.seconds;
  const core::Price& price = model.price_for(sizes.input_tokens);
  if (price.input && price.output) {
    candidate.cost = *price.input * sizes.input_tokens +
                     *price.output * candidate.output_tokens;
  }
  const core::Price dearest = dearest_price(model, sizes.input_bound);
  const bool bounded = candidate.output_cap || dearest.output == Money{};
  if (dearest.input && dearest.output && bounded) {
    candidate.worst_cost =
        *dearest.input * sizes.input_bound +
        *dearest.output *
            std::max<int64_t>(0, candidate.output_cap.value_or(0));
  }
  return candidate;
}

void expect_measured(const core::Experience& experience, Candidate& candidate) {
  const Model& model = *candidate.model;
  const auto found = experience.paces.find(model.name);
  const double listed = seconds_per_token(model);
  if (found == experience.paces.end()) {
    candidate.seconds = answer_seconds(
        candidate, model.first_token_seconds * experience.unseen, listed);
    return;
  }
  const core::Pace& pace = found->second;
  const double each = pace.per_token.value_or(listed);
  candidate.calls = pace.calls;
  candidate.failed = pace.failed;
  candidate.failed_ago = pace.failed_ago;
  candidate.seconds_measured =
      answer_seconds(candidate, pace.first_token, each);
  candidate.seconds = answer_seconds(
      candidate,
      aged(pace.first_token, core::kBestShare * model.first_token_seconds,
           pace.freshness),
      aged(each, listed, pace.freshness));
}

std::optional<core::Exclusion> does_not_fit(const Candidate& candidate,
                                            const Sizes& sizes,
                                            const core::Prompt& prompt,
                                            std::optional<Money> ceiling,
                                            bool allow_unpriced) {
  const Model& model = *candidate.model;
  const int64_t least = std::min(
      prompt.parameters.max_tokens.value_or(kLeastAnswer), kLeastAnswer);
  const std::optional<int64_t> room = window_room(model, sizes.input_tokens);
  if (room && *room < least) {
    return core::Exclusion{
        &model, core::Gate::kWindow,
        model.context_window
            ? fmt::format("window {} < {} tokens needed",
                          base::with_thousands(*model.context_window),
                          base::with_thousands(sizes.input_tokens + least))
            : fmt::format("answers of at most {} tokens", *room)};
  }
  if (!ceiling) return std::nullopt;
  if (!candidate.worst_cost) {
    if (allow_unpriced) return std::nullopt;
    return core::Exclusion{&model, core::Gate::kBudget,
                           "no price or output limit known, under a ceiling "
                           "(see --allow-unpriced)"};
  }
  // A model whose own limit is below what is needed is not held against it.
  const int64_t needed =
      std::min(candidate.output_needed, room.value_or(INT64_MAX));
  const bool short_answer = candidate.output_cap.value_or(needed) < needed;
  if (short_answer || *candidate.worst_cost > *ceiling) {
    return core::Exclusion{
        &model, core::Gate::kBudget,
        fmt::format("{} does not pay for an answer of ~{} tokens",
                    core::display_usd(*ceiling), base::with_thousands(needed))};
  }
  return std::nullopt;
}

std::optional<Money> least_cost(const Candidate& candidate,
                                const core::Prompt& prompt) {
  const int64_t input = core::input_token_bound(prompt);
  const core::Price price = dearest_price(*candidate.model, input);
  if (!price.input || !price.output) return std::nullopt;
  const int64_t output = std::min(candidate.output_needed,
                                  candidate.output_cap.value_or(INT64_MAX));
  return *price.input * input + *price.output * std::max<int64_t>(0, output);
}

bool lower_cap(const core::Prompt& prompt, Money most, Candidate& candidate) {
  if (!candidate.worst_cost || !candidate.output_cap) return false;
  const Money each = dearest_output(candidate, prompt);
  const Money excess = *candidate.worst_cost - most;
  if (each == Money{} || excess <= Money{}) return false;
  const int64_t fewer = (excess.pico - 1) / each.pico + 1;
  if (*candidate.output_cap - fewer < candidate.output_needed) return false;
  *candidate.output_cap -= fewer;
  *candidate.worst_cost -= each * fewer;
  candidate.output_tokens =
      std::min(candidate.output_tokens, *candidate.output_cap);
  return true;
}

}  // namespace llmroute::routing
