#include "app/attempt.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <vector>

#include "app/events.h"
#include "base/url.h"
#include "config/keys.h"
#include "core/secret_headers.h"
#include "provider/call.h"

namespace llmroute::app {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

milliseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

// A wait that a person at the terminal is told of.
constexpr milliseconds kLongWait{2000};

double seconds_of(milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

RetryRules rules_of(const core::Limits& limits) {
  RetryRules rules;
  rules.attempts_per_candidate = limits.attempts_per_candidate;
  rules.attempts_per_request = limits.attempts_per_request;
  return rules;
}

// Who that is, at which address, and where each was said.
std::string who_is_asked(const core::Candidate& candidate) {
  const core::Model& model = *candidate.model;
  const core::Provider& provider = *candidate.provider;
  const auto url = base::parse_url(provider.base_url);
  return fmt::format("asking {} ({}){}; the model is of {}, the provider of {}",
                     model.name, provider.name,
                     url ? " at " + url->origin() : "", model.origin,
                     provider.origin);
}

std::string how_it_ended(const provider::CallResult& result,
                         milliseconds took) {
  const auto* failure = std::get_if<Failure>(&result);
  if (failure != nullptr) {
    return fmt::format("{}, after {} ms", failure->message, took.count());
  }
  const int status = std::get<core::Reply>(result).http_status;
  return fmt::format("{}, done after {} ms",
                     status != 0 ? fmt::format("HTTP {}", status) : "answered",
                     took.count());
}

// Tries the candidates of one decision; the state of one request.
class Attempts {
 public:
  Attempts(const Question& question, AnswerOutput& output, AttemptBook& book,
           const Messages& messages)
      : decision_(question.decision),
        prompt_(question.prompt),
        limits_(question.limits),
        has_ceiling_(question.has_ceiling),
        environment_(question.environment),
        cancel_(question.cancel),
        check_(question.check),
        output_(output),
        book_(book),
        messages_(messages),
        plan_(decision_, rules_of(limits_), limits_.ceiling) {}

  Answered run();

 private:
  void try_all();
  void try_avoided();
  Attempt one_attempt(const core::Candidate& candidate, milliseconds waited);
  Attempt booked_attempt(const core::Candidate& candidate, milliseconds waited);
  bool is_over() const {
    return reply_ || output_.broken() || output_.printed_bytes() > 0 ||
           cancel_.requested();
  }
  std::optional<base::Error> put_aside(const core::Candidate& candidate);
  provider::CallResult call(const core::Candidate& candidate, Attempt& attempt);
  void tell(const Attempt& attempt, size_t candidate,
            const std::optional<AttemptPlan::Next>& next) const;
  std::string next_try() const;
  bool accepts(Attempt& attempt);
  bool wait(milliseconds how_long) const;
  milliseconds time_left() const { return limits_.total - since(start_); }

  const core::Decision& decision_;
  const core::Prompt& prompt_;
  const core::Limits& limits_;
  const bool has_ceiling_;
  const base::Environment& environment_;
  const provider::Cancel cancel_;
  const Check& check_;
  AnswerOutput& output_;
  AttemptBook& book_;
  const Messages& messages_;
  AttemptPlan plan_;
  std::optional<core::Reply> reply_;
  // The last answer that would not do.
  std::optional<core::Reply> rejected_;
  const core::Candidate* rejected_by_ = nullptr;
  std::optional<base::Error> rejection_;
  bool unsure_ = false;  // as Verdict's
  std::optional<base::Error> held_back_;
  std::vector<size_t> avoided_;  // candidates that the book does not allow
  const steady_clock::time_point start_ = steady_clock::now();
};

provider::CallResult Attempts::call(const core::Candidate& candidate,
                                    Attempt& attempt) {
  const auto started = steady_clock::now();
  auto key = config::resolve_key(*candidate.provider, environment_);
  if (!key) return no_key(key.error());
  redact_secrets(*candidate.provider, *key);
  const provider::Call call{
      *candidate.provider,
      *candidate.model,
      prompt_,
      *key,
      cap_to_send(candidate, prompt_, has_ceiling_),
      true,
      {limits_.connect, limits_.first_token, limits_.idle, time_left()},
      cancel_};
  output_.discard();
  if (messages_.traces()) messages_.trace(provider::request_line(call));
  return provider::call(call, [&](std::string_view text) {
    if (attempt.first_token.count() == 0) {
      attempt.first_token = std::max(milliseconds(1), since(started));
    }
    return output_.write(text);
  });
}

Attempt Attempts::one_attempt(const core::Candidate& candidate,
                              milliseconds waited) {
  Attempt attempt;
  attempt.candidate = &candidate;
  attempt.waited = waited;
  messages_.detail(who_is_asked(candidate));
  const auto started = steady_clock::now();
  auto result = call(candidate, attempt);
  attempt.took = since(started);
  redact_names(result);
  messages_.trace(how_it_ended(result, attempt.took));
  if (auto* reply = std::get_if<core::Reply>(&result)) {
    reply_ = std::move(*reply);
  } else {
    attempt.failure = std::get<Failure>(std::move(result));
  }
  return attempt;
}

// Why its cost could not be put aside; nothing: it was.
std::optional<base::Error> Attempts::put_aside(
    const core::Candidate& candidate) {
  base::Status held = book_.before(candidate);
  if (held) return std::nullopt;
  return std::move(held).error();
}

bool Attempts::wait(milliseconds how_long) const {
  pollfd one{cancel_.wake_fd, POLLIN, 0};
  const auto end = steady_clock::now() + how_long;
  while (!cancel_.requested()) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) return true;
    ::poll(&one, 1, static_cast<int>(left.count()));
  }
  return false;
}

void Attempts::tell(const Attempt& attempt, size_t candidate,
                    const std::optional<AttemptPlan::Next>& next) const {
  if (!next) return;
  if (output_.events()) {
    output_.event(retry_event(attempt, decision_.candidates[next->candidate],
                              next->wait));
  }
  const std::string why = fmt::format(
      "{} ({}): {}", attempt.candidate->model->name,
      attempt.candidate->provider->name,
      attempt.rejected ? *attempt.rejected : attempt.failure->message);
  if (next->candidate != candidate) {
    messages_.warn(why + "; asking the next model");
  } else if (next->wait >= kLongWait) {
    messages_.warn(why + fmt::format("; waiting {:.0f} s before {}",
                                     seconds_of(next->wait), next_try()));
  } else {
    messages_.detail(why + "; trying again");
  }
}

// "try 2 of 3", of the candidate that was asked last.
std::string Attempts::next_try() const {
  const auto& all = plan_.attempts();
  int tried = 0;
  for (auto it = all.rbegin();
       it != all.rend() && it->candidate == all.back().candidate; ++it) {
    ++tried;
  }
  const RetryRules rules = rules_of(limits_);
  const int left = rules.attempts_per_request - static_cast<int>(all.size());
  return fmt::format("try {} of {}", tried + 1,
                     std::min(rules.attempts_per_candidate, tried + left));
}

Attempt Attempts::booked_attempt(const core::Candidate& candidate,
                                 milliseconds waited) {
  if (output_.events()) {
    output_.event(attempt_event(candidate, plan_.attempts().size() + 1));
  }
  Attempt attempt = one_attempt(candidate, waited);
  book_.after(attempt, reply_ ? &*reply_ : nullptr);
  return attempt;
}

// Keeps an answer that will not do, in case no better one comes.
bool Attempts::accepts(Attempt& attempt) {
  const core::Candidate& by = *attempt.candidate;
  Verdict verdict = check_(*reply_, by);
  attempt.verdict = verdict.quality;
  if (verdict.accepted) return true;
  attempt.rejected = verdict.why.message;
  attempt.cost = core::cost_of(*by.model, reply_->usage);
  unsure_ = verdict.unsure;
  rejection_ = std::move(verdict.why);
  rejected_by_ = &by;
  rejected_ = std::exchange(reply_, std::nullopt);
  return false;
}

void Attempts::try_all() {
  auto next = plan_.allowed_from(0);
  if (!next) avoided_.push_back(0);
  while (next) {
    const size_t candidate = next->candidate;
    const core::Candidate& it = decision_.candidates[candidate];
    const bool again =
        !plan_.attempts().empty() && plan_.attempts().back().candidate == &it;
    if (!book_.allows(it, again)) {
      avoided_.push_back(candidate);
      next = plan_.allowed_from(candidate + 1);
      continue;
    }
    if (!wait(next->wait)) return;
    held_back_ = put_aside(it);
    if (held_back_ && held_back_->kind != base::ErrorKind::kBudget) return;
    if (held_back_) {
      next = plan_.allowed_from(candidate + 1);
      continue;
    }
    Attempt attempt = booked_attempt(it, next->wait);
    const bool rejected = reply_ && check_ && !accepts(attempt);
    if (!rejected && is_over()) return plan_.last(std::move(attempt));
    if (!rejected && may_have_cost(*attempt.failure)) {
      plan_.charge(it.worst_cost.value_or(core::Money{}));
    }
    next = rejected ? plan_.after_rejection(candidate, std::move(attempt),
                                            time_left())
                    : plan_.after(candidate, std::move(attempt), time_left());
    if (rejected && unsure_) return;
    tell(plan_.attempts().back(), candidate, next);
  }
}

// Nobody was asked: then the first of them that there is money for is, once.
void Attempts::try_avoided() {
  for (const size_t avoided : avoided_) {
    if (held_back_ && held_back_->kind != base::ErrorKind::kBudget) return;
    const core::Candidate& candidate = decision_.candidates[avoided];
    held_back_ = put_aside(candidate);
    if (held_back_) continue;
    Attempt attempt = booked_attempt(candidate, milliseconds(0));
    if (reply_ && check_) (void)accepts(attempt);
    return plan_.last(std::move(attempt));
  }
}

Answered Attempts::run() {
  try_all();
  if (plan_.attempts().empty() && !cancel_.requested()) try_avoided();
  if (!reply_ && rejected_ && !output_.broken()) {
    output_.rewrite(rejected_->text);
  }
  Answered answered;
  answered.reply = std::move(reply_);
  answered.attempts = plan_.take_attempts();
  answered.held_back = std::move(held_back_);
  if (!answered.attempts.empty()) {
    answered.by = answered.attempts.back().candidate;
  }
  if (!answered.reply && rejected_) {
    answered.reply = std::move(rejected_);
    answered.rejected = std::move(rejection_);
    answered.by = rejected_by_;
  }
  return answered;
}

}  // namespace

Failure no_key(const base::Error& error) {
  Failure failure;
  failure.kind = FailureClass::kNotAllowed;
  failure.cause = "no key";
  failure.message = error.message;
  return failure;
}

void redact_secrets(const core::Provider& provider, const std::string& key) {
  redact_in_messages(key);
  for (const std::string& secret : core::header_secrets(provider)) {
    redact_in_messages(secret);
  }
}

void redact_names(provider::CallResult& result) {
  if (auto* reply = std::get_if<core::Reply>(&result)) {
    reply->served_model = redacted(std::move(reply->served_model));
    reply->request_id = redacted(std::move(reply->request_id));
  } else {
    auto& failure = std::get<Failure>(result);
    failure.request_id = redacted(std::move(failure.request_id));
  }
}

int64_t cap_to_send(const core::Candidate& candidate,
                    const core::Prompt& prompt, bool has_ceiling) {
  const bool required =
      candidate.provider->protocol == core::Protocol::kAnthropic;
  if (!prompt.parameters.max_tokens && !has_ceiling && !required) return 0;
  constexpr int64_t kUnknownLimit = 4096;
  const int64_t unknown = required ? kUnknownLimit : 0;
  return candidate.output_cap.value_or(unknown);
}

Answered attempt_all(const Question& question, AnswerOutput& output,
                     AttemptBook& book, const Messages& messages) {
  return Attempts(question, output, book, messages).run();
}

}  // namespace llmroute::app
