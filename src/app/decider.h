// Decides about prompts under one config: the same router model, rules, keys
// and options for each.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "analyzer/analyzer.h"
#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/prompt.h"
#include "core/routing_options.h"
#include "routing/router.h"

namespace llmroute::app {

// Who asks: run looks whether local servers answer; explain contacts nothing
// and goes by what was last seen, and where no key is set at all, decides as if
// all were.
enum class Asker { kRun, kExplain };

// What does not depend on the prompt.
struct Circumstances {
  Asker asker = Asker::kRun;
  core::RoutingOptions options;
  std::map<std::string, std::string> missing_keys;  // provider -> why
  std::map<std::string, std::string> unavailable;   // model or provider -> why
  const core::Experience* experience = nullptr;     // borrowed; null: none
  std::optional<double> draw = {};                  // routing::Request::draw
};

// As Router::decide(), but where all models are held the first is asked all the
// same, with a note.
base::Status decide_asking_held(const routing::Router& router,
                                routing::Request request,
                                core::Decision& decision);

// Immutable. Borrows config and analyzer, which must outlive it.
class Decider {
 public:
  // Bad rule pattern: kConfig.
  static base::Result<Decider> create(const core::Config& config,
                                      const analyzer::Analyzer& analyzer,
                                      Circumstances circumstances);

  const Circumstances& circumstances() const { return circumstances_; }

  // As Router::decide(); the decision's candidates borrow from the config.
  base::Result<core::Decision> decide(const core::Prompt& prompt) const;
  // The same with other options than the circumstances', and a ceiling that
  // holds beside the config's.
  base::Result<core::Decision> decide(
      const core::Prompt& prompt, const core::RoutingOptions& options,
      const std::optional<core::Money>& ceiling) const;
  // The same into `decision`, as Router::decide() does.
  base::Status decide(const core::Prompt& prompt,
                      const core::RoutingOptions& options,
                      const std::optional<core::Money>& ceiling,
                      core::Decision& decision) const;
  // As if `admitted` passed every gate; perhaps without any ceiling.
  base::Result<core::Decision> decide_admitting(const core::Prompt& prompt,
                                                const core::Model& admitted,
                                                bool under_ceiling) const;
  // The same circumstances under another config, which is borrowed.
  base::Result<Decider> under(const core::Config& config) const {
    return create(config, *analyzer_, circumstances_);
  }
  const core::RoutingOptions& options() const { return circumstances_.options; }

 private:
  core::Analysis analyze(const core::Prompt& prompt) const;
  // Borrows all of it.
  routing::Request request_for(const core::Prompt& prompt,
                               const core::Analysis& analysis,
                               const core::RoutingOptions& options,
                               const std::optional<core::Money>& ceiling) const;
  Decider(const core::Config& config, const analyzer::Analyzer& analyzer,
          Circumstances circumstances, routing::Router router);
  base::Status decide_as_if_keys_were_set(routing::Request request,
                                          core::Decision& decision) const;

  const core::Config* config_;
  const analyzer::Analyzer* analyzer_;
  Circumstances circumstances_;
  routing::Router router_;
};

}  // namespace llmroute::app
