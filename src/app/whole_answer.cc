#include "app/whole_answer.h"

#include "base/text.h"

namespace llmroute::app {

base::Status whole_answer(const core::Reply& reply, const core::Candidate& by,
                          const std::optional<int64_t>& own_limit) {
  const auto incomplete = [](const char* why) {
    return base::Error{base::ErrorKind::kIncomplete, why};
  };
  switch (reply.finish) {
    case core::Finish::kLength:
      if (own_limit && by.output_cap.value_or(*own_limit) >= *own_limit) {
        return {};
      }
      return incomplete("the answer was cut by a token limit");
    case core::Finish::kFilter:
      return incomplete("the provider's content filter stopped the answer");
    case core::Finish::kRefusal:
      return incomplete("the model refused");
    case core::Finish::kStop:
    case core::Finish::kToolCalls:
    case core::Finish::kOther:
      break;
  }
  if (base::trim(reply.text).empty()) return incomplete("the answer is empty");
  return {};
}

}  // namespace llmroute::app
