#include "app/attempt_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "core/exit_status.h"

namespace llmroute::app {
namespace {

base::ErrorKind kind_of(core::FailureClass failure) {
  using base::ErrorKind;
  using core::FailureClass;
  switch (failure) {
    case FailureClass::kTransient:
    case FailureClass::kThrottled:
      return ErrorKind::kTryLater;
    case FailureClass::kNoMoney:
    case FailureClass::kNotAllowed:
      return ErrorKind::kNoPermission;
    case FailureClass::kTooLong:
    case FailureClass::kOurFault:
      return ErrorKind::kData;
    case FailureClass::kGone:
      return ErrorKind::kUnavailable;
    case FailureClass::kProtocol:
      return ErrorKind::kProtocol;
    case FailureClass::kCancelled:
    case FailureClass::kLocal:
      return ErrorKind::kOs;
  }
  return ErrorKind::kSoftware;
}

std::string name_of(const Attempt& attempt) {
  return fmt::format("{} ({})", attempt.candidate->model->name,
                     attempt.candidate->provider->name);
}

std::string describe(const Attempt& attempt) {
  return name_of(attempt) + ": " + attempt.failure->message;
}

// "a (p), b (p): why; c (q): why not": each cause once, in order.
std::string describe_all(const std::vector<const Attempt*>& attempts) {
  std::vector<std::pair<std::string_view, std::string>> causes;  // why, who
  for (const Attempt* attempt : attempts) {
    const std::string& why = attempt->failure->message;
    const auto same =
        std::find_if(causes.begin(), causes.end(),
                     [&](const auto& cause) { return cause.first == why; });
    if (same == causes.end()) {
      causes.emplace_back(why, name_of(*attempt));
    } else {
      same->second += ", " + name_of(*attempt);
    }
  }
  std::vector<std::string> texts;
  for (const auto& [why, who] : causes) {
    texts.push_back(fmt::format("{}: {}", who, why));
  }
  return base::join(texts, "; ");
}

}  // namespace

base::Error failed(const Answered& answered, size_t printed_bytes) {
  const Attempt& last = answered.attempts.back();
  if (printed_bytes > 0) {
    return {base::ErrorKind::kIncomplete,
            fmt::format("{}; the answer broke off after {} bytes",
                        describe(last), printed_bytes)};
  }
  // Of each candidate its last failure; the gravest kind decides.
  base::ErrorKind kind = kind_of(last.failure->kind);
  std::vector<const Attempt*> last_ones;
  for (const Attempt& attempt : answered.attempts) {
    if (attempt.outrun) continue;
    const base::ErrorKind its = kind_of(attempt.failure->kind);
    if (core::is_graver(core::exit_status(its), core::exit_status(kind))) {
      kind = its;
    }
    std::erase_if(last_ones, [&](const Attempt* one) {
      return one->candidate == attempt.candidate;
    });
    last_ones.push_back(&attempt);
  }
  std::string text = describe_all(last_ones);
  if (answered.attempts.size() > 1) {
    text += fmt::format(" ({} attempts)", answered.attempts.size());
  }
  if (last.failure->retry_after) {
    text += fmt::format(
        "; it asks to wait {:.0f} s",
        std::ceil(static_cast<double>(last.failure->retry_after->count()) /
                  1000));
  }
  return {kind, text};
}

}  // namespace llmroute::app
