// Why another model was not chosen, and the smallest single change that would
// choose it: explain --why-not.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/route.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "routing/flips.h"

namespace llmroute::app {

struct WhyNot {
  const core::Model* wanted = nullptr;
  bool chosen = false;
  // What stands before all numbers: "denied by 'mini*'", "rule 'x' sends it to
  // cheap"; empty: nothing does.
  std::string obstacle;
  bool obstacle_suffices = false;  // without it the model would be chosen
  // As it would be without the obstacle; nothing if it would not take part.
  std::optional<core::Candidate> candidate;
  core::Money behind;                    // dollars of worth to the chosen one
  std::vector<routing::Flip> ways;       // without the obstacle
  std::unique_ptr<core::Config> config;  // what the above may borrow from
};

// Unknown model: kUsage with the nearest name.
base::Result<WhyNot> why_not(const std::string& model, const Routed& routed);

// "a good answer is worth $0.035 (--worth 0.035)", "strong costs 1.3 times as
// much".
std::string flip_condition(const routing::Flip& flip);
void write_flip(base::JsonWriter& json, const routing::Flip& flip);

std::string why_not_lines(const WhyNot& why);
void write_why_not(base::JsonWriter& json, const WhyNot& why);

}  // namespace llmroute::app
