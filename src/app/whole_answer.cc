#include "app/whole_answer.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace llmroute::app {
namespace {

std::string cut_by(const core::Candidate& by) {
  const auto& most = by.model->max_output_tokens;
  if (!by.output_cap || (most && *by.output_cap >= *most)) {
    return "the answer was cut by a token limit";
  }
  return fmt::format(
      "the answer was cut at {} tokens; a cost ceiling or the model's window "
      "allowed no more",
      base::with_thousands(*by.output_cap));
}

base::Error incomplete(std::string why) {
  return {base::ErrorKind::kIncomplete, std::move(why)};
}

std::string plain_name(std::string_view name) {
  std::string plain = base::to_lower_ascii(name);
  if (plain.starts_with("models/")) plain.erase(0, 7);
  if (plain.ends_with(":latest")) plain.resize(plain.size() - 7);
  return plain;
}

}  // namespace

bool is_same_model(std::string_view id, std::string_view served) {
  if (served.empty()) return true;
  const std::string asked = plain_name(id), name = plain_name(served);
  if (!name.starts_with(asked)) return false;
  const std::string_view rest = std::string_view(name).substr(asked.size());
  return rest.empty() ||
         ((rest.front() == '-' || rest.front() == '@') && rest.size() > 1 &&
          rest.find_first_not_of("-0123456789", 1) == std::string_view::npos);
}

base::Status whole_answer(const core::Reply& reply, bool own_limit,
                          const FailOn& fail_on) {
  switch (reply.finish) {
    case core::Finish::kLength:
      if (!fail_on.length || own_limit) break;
      return incomplete("the answer was cut by a token limit");
    case core::Finish::kFilter:
      if (!fail_on.filter) break;
      return incomplete("the provider's content filter stopped the answer");
    case core::Finish::kRefusal:
      if (!fail_on.refusal) break;
      return incomplete("the model refused");
    case core::Finish::kStop:
    case core::Finish::kToolCalls:
    case core::Finish::kOther:
      break;
  }
  const bool empty = fail_on.empty && reply.finish != core::Finish::kLength &&
                     base::trim(reply.text).empty() && reply.tool_calls.empty();
  if (empty) return incomplete("the answer is empty");
  return {};
}

base::Status whole_answer(const core::Reply& reply, const core::Candidate& by,
                          const std::optional<int64_t>& own_limit,
                          const FailOn& fail_on) {
  const bool users =
      own_limit && by.output_cap.value_or(*own_limit) >= *own_limit;
  if (reply.finish == core::Finish::kLength && fail_on.length && !users) {
    return incomplete(cut_by(by));
  }
  LLMROUTE_CHECK(whole_answer(reply, users, fail_on));
  if (fail_on.other_model && !is_same_model(by.model->id, reply.served_model)) {
    return incomplete(fmt::format("another model served: {}, not {}",
                                  reply.served_model, by.model->id));
  }
  if (fail_on.unpriced && !core::cost_of(*by.model, reply.usage)) {
    return base::Error{base::ErrorKind::kNegative,
                       "what the answer cost is not known"};
  }
  return {};
}

}  // namespace llmroute::app
