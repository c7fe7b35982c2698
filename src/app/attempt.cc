#include "app/attempt.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <vector>

#include "app/events.h"
#include "app/race.h"
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

Failure cancelled(std::string cause, std::string message) {
  Failure failure;
  failure.kind = FailureClass::kCancelled;
  failure.cause = std::move(cause);
  failure.message = std::move(message);
  return failure;
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
  Attempt attempt_at(const core::Candidate& candidate, milliseconds waited);
  std::optional<base::Error> put_aside(const Attempt& asked);
  void announce(const Attempt& asked) const;
  base::Result<provider::Call> call_of(const core::Candidate& candidate);
  void ask(Attempt& attempt);
  void end(provider::CallResult result, Attempt& attempt);
  std::optional<size_t> other_beside(size_t candidate) const;
  std::vector<Attempt> ask_hedged(size_t candidate, Attempt attempt);
  std::vector<Attempt> ask_both(Attempt first, size_t other,
                                milliseconds patience);
  bool ask_beside(const Attempt& silent, Attempt& attempt, Race& race);
  void end_of(Race::Finish finish, Attempt& attempt);
  void pass_over(Attempt attempt);
  size_t index_of(const Attempt& attempt) const {
    return static_cast<size_t>(attempt.candidate - decision_.candidates.data());
  }
  bool is_over() const {
    return reply_ || output_.broken() || output_.printed_bytes() > 0 ||
           cancel_.requested();
  }
  void tell(const Attempt& attempt, size_t candidate,
            const std::optional<AttemptPlan::Next>& next) const;
  std::string next_try() const;
  bool accepts(Attempt& attempt);
  bool is_told_last() const;
  bool wait(milliseconds how_long) const;
  bool sit_out(milliseconds hold, Attempt& attempt);
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
  int64_t begun_ = 0;  // attempts
  bool hedged_ = false;
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

Attempt Attempts::attempt_at(const core::Candidate& candidate,
                             milliseconds waited) {
  Attempt attempt;
  attempt.candidate = &candidate;
  attempt.waited = waited;
  attempt.number = begun_ + 1;
  return attempt;
}

// Why its cost could not be put aside; nothing: it was.
std::optional<base::Error> Attempts::put_aside(const Attempt& asked) {
  base::Status held = book_.before(asked);
  if (!held) return std::move(held).error();
  begun_ = asked.number;
  return std::nullopt;
}

void Attempts::announce(const Attempt& asked) const {
  if (output_.events()) output_.event(attempt_event(asked));
  messages_.detail(who_is_asked(*asked.candidate));
}

base::Result<provider::Call> Attempts::call_of(
    const core::Candidate& candidate) {
  LLMROUTE_TRY(std::string key,
               config::resolve_key(*candidate.provider, environment_));
  redact_secrets(*candidate.provider, key);
  provider::Call call{
      *candidate.provider,
      *candidate.model,
      prompt_,
      std::move(key),
      cap_to_send(candidate, prompt_, has_ceiling_),
      true,
      {limits_.connect, limits_.first_token, limits_.idle, time_left()},
      cancel_};
  if (messages_.traces()) messages_.trace(provider::request_line(call));
  return call;
}

void Attempts::end(provider::CallResult result, Attempt& attempt) {
  redact_names(result);
  messages_.trace(how_it_ended(result, attempt.took));
  auto* reply = std::get_if<core::Reply>(&result);
  if (reply != nullptr) {
    reply_ = std::move(*reply);
  } else {
    attempt.failure = std::get<Failure>(std::move(result));
  }
  book_.after(attempt, reply != nullptr ? &*reply_ : nullptr);
}

void Attempts::ask(Attempt& attempt) {
  const auto started = steady_clock::now();
  const auto call = call_of(*attempt.candidate);
  output_.discard();
  const auto take = [&](std::string_view text) {
    if (text.empty()) return true;
    if (attempt.first_token.count() == 0) {
      attempt.first_token = std::max(milliseconds(1), since(started));
    }
    return output_.write(text);
  };
  provider::CallResult result =
      call ? provider::call(*call, take) : no_key(call.error());
  attempt.took = since(started);
  end(std::move(result), attempt);
}

// Who is asked as well if that one is silent; once in a request.
std::optional<size_t> Attempts::other_beside(size_t candidate) const {
  const auto other = plan_.beside(candidate);
  const bool may =
      !hedged_ && other &&
      may_hedge(decision_, prompt_, decision_.candidates[candidate],
                decision_.candidates[*other]);
  return may ? other : std::nullopt;
}

// More than one where another was asked beside it; the last is what counts.
std::vector<Attempt> Attempts::ask_hedged(size_t candidate, Attempt attempt) {
  announce(attempt);
  const auto other = other_beside(candidate);
  const auto patience =
      other ? book_.patience(*attempt.candidate) : std::nullopt;
  if (patience) return ask_both(std::move(attempt), *other, *patience);
  ask(attempt);
  return {std::move(attempt)};
}

std::vector<Attempt> Attempts::ask_both(Attempt first, size_t other,
                                        milliseconds patience) {
  std::vector<Attempt> asked = {std::move(first)};
  auto call = call_of(*asked.front().candidate);
  if (!call) {
    end(no_key(call.error()), asked.front());
    return asked;
  }
  output_.discard();
  Race race(cancel_,
            [this](std::string_view text) { return output_.write(text); });
  if (!race.start(*std::move(call))) {  // no thread, or no descriptor
    ask(asked.front());
    return asked;
  }
  if (race.silent_for(patience)) {
    Attempt second = attempt_at(decision_.candidates[other],
                                asked.front().waited + patience);
    second.hedge = true;
    if (ask_beside(asked.front(), second, race)) {
      asked.push_back(std::move(second));
    }
  }
  auto finishes = race.finish();
  const bool second_won = finishes.back().won && asked.size() > 1;
  for (size_t i = 0; i < asked.size(); ++i) {
    end_of(std::move(finishes[i]), asked[i]);
  }
  // The second counts only where its words are the end of it.
  if (asked.size() > 1 && !(is_over() && second_won)) {
    std::swap(asked[0], asked[1]);
  }
  return asked;
}

bool Attempts::ask_beside(const Attempt& silent, Attempt& attempt, Race& race) {
  const std::string& name = silent.candidate->model->name;
  auto call = call_of(*attempt.candidate);
  const auto why = call ? put_aside(attempt) : std::optional(call.error());
  if (why) {
    messages_.detail(
        fmt::format("nobody is asked beside {}: {}", name, why->message));
    return false;
  }
  hedged_ = true;
  messages_.warn(fmt::format("{}: nothing for {:.1f} s; asking {} as well",
                             name, seconds_of(attempt.waited - silent.waited),
                             attempt.candidate->model->name));
  announce(attempt);
  if (!output_.broken() && race.start(*std::move(call))) return true;
  attempt.hedge = false;
  attempt.outrun = true;
  attempt.failure = cancelled("not sent", "it was not needed any more");
  book_.after(attempt, nullptr);
  return false;
}

void Attempts::end_of(Race::Finish finish, Attempt& attempt) {
  attempt.took = finish.took;
  attempt.first_token = finish.first_token;
  const auto* failure = std::get_if<Failure>(&finish.result);
  attempt.outrun = finish.outrun && (failure == nullptr ||
                                     failure->kind == FailureClass::kCancelled);
  if (!attempt.outrun) return end(std::move(finish.result), attempt);
  attempt.failure = cancelled(std::string(kOutrun), "another model was faster");
  attempt.failure->sent = failure == nullptr || failure->sent;
  if (failure != nullptr) {
    attempt.failure->http_status = failure->http_status;
    attempt.failure->bytes_streamed = failure->bytes_streamed;
  }
  book_.after(attempt, nullptr);
}

// An attempt beside which another one decides what comes next.
void Attempts::pass_over(Attempt attempt) {
  if (may_have_cost(*attempt.failure)) {
    plan_.charge(attempt.candidate->worst_cost.value_or(core::Money{}));
  }
  if (attempt.outrun) return plan_.last(std::move(attempt));
  messages_.warn(fmt::format("{} ({}): {}", attempt.candidate->model->name,
                             attempt.candidate->provider->name,
                             attempt.failure->message));
  plan_.failed_beside(std::move(attempt));
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

// False: interrupted, or the wait that a model had asked for is too long; then
// that is how the attempt failed.
bool Attempts::sit_out(milliseconds hold, Attempt& attempt) {
  if (hold.count() == 0) return true;
  Failure failure;
  failure.kind = FailureClass::kThrottled;
  failure.cause = "on hold";
  failure.message = "on hold since an earlier request";
  failure.retry_after = hold;
  const auto pause = retry_wait(rules_of(limits_), failure, 1, system_random);
  if (!pause || *pause > time_left()) {
    attempt.failure = std::move(failure);
    return false;
  }
  if (*pause >= kLongWait) {
    messages_.warn(fmt::format("{} asked to wait; waiting {:.0f} s",
                               attempt.candidate->model->name,
                               seconds_of(*pause)));
  }
  return wait(*pause);
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
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (it->hedge || it->outrun) continue;
    if (it->candidate != all.back().candidate) break;
    ++tried;
  }
  const RetryRules rules = rules_of(limits_);
  const int left = rules.attempts_per_request - static_cast<int>(all.size());
  return fmt::format("try {} of {}", tried + 1,
                     std::min(rules.attempts_per_candidate, tried + left));
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
    size_t candidate = next->candidate;
    const core::Candidate& it = decision_.candidates[candidate];
    const bool again =
        !plan_.attempts().empty() && plan_.attempts().back().candidate == &it;
    if (!book_.allows(it, again)) {
      avoided_.push_back(candidate);
      next = plan_.allowed_from(candidate + 1);
      continue;
    }
    if (!wait(next->wait)) return;
    Attempt asked = attempt_at(it, next->wait);
    held_back_ = put_aside(asked);
    if (held_back_ && held_back_->kind != base::ErrorKind::kBudget) return;
    if (held_back_) {
      next = plan_.allowed_from(candidate + 1);
      continue;
    }
    std::vector<Attempt> made = ask_hedged(candidate, std::move(asked));
    Attempt attempt = std::move(made.back());
    made.pop_back();
    for (Attempt& other : made) pass_over(std::move(other));
    candidate = index_of(attempt);
    const bool rejected = reply_ && check_ && !accepts(attempt);
    if (!rejected && is_over()) return plan_.last(std::move(attempt));
    if (attempt.outrun) {
      pass_over(std::move(attempt));
      next = plan_.again(candidate, time_left());
      continue;
    }
    if (!rejected && may_have_cost(*attempt.failure)) {
      plan_.charge(attempt.candidate->worst_cost.value_or(core::Money{}));
    }
    next = rejected ? plan_.after_rejection(candidate, std::move(attempt),
                                            time_left())
                    : plan_.after(candidate, std::move(attempt), time_left());
    if (rejected && unsure_) return;
    tell(plan_.attempts().back(), candidate, next);
  }
}

// Nobody was asked: then the first of them that there is money for is, once;
// of those that asked to wait, the one that may be asked soonest, after that.
void Attempts::try_avoided() {
  const auto left = [&](size_t avoided) {
    return book_.wait_left(decision_.candidates[avoided]);
  };
  std::ranges::stable_sort(avoided_, {}, left);
  for (const size_t avoided : avoided_) {
    if (held_back_ && held_back_->kind != base::ErrorKind::kBudget) return;
    const core::Candidate& candidate = decision_.candidates[avoided];
    const milliseconds hold = left(avoided);
    Attempt attempt = attempt_at(candidate, hold);
    if (!sit_out(hold, attempt)) {
      if (attempt.failure) plan_.last(std::move(attempt));
      return;
    }
    held_back_ = put_aside(attempt);
    if (held_back_) continue;
    announce(attempt);
    ask(attempt);
    if (reply_ && check_) (void)accepts(attempt);
    return plan_.last(std::move(attempt));
  }
}

// Events stay as they were said: the answer is not said again, unless another
// attempt was announced after it.
bool Attempts::is_told_last() const {
  const auto& attempts = plan_.attempts();
  return output_.events() && !attempts.empty() &&
         attempts.back().candidate == rejected_by_;
}

Answered Attempts::run() {
  try_all();
  if (plan_.attempts().empty() && !cancel_.requested()) try_avoided();
  if (!reply_ && !rejected_ && !held_back_) held_back_ = plan_.lacks_money();
  if (!reply_ && rejected_ && !output_.broken() && !is_told_last()) {
    output_.rewrite(rejected_->text);
  }
  Answered answered;
  answered.reply = std::move(reply_);
  answered.attempts = plan_.take_attempts();
  answered.took = since(start_);
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
