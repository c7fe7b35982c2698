#include "core/experience.h"

namespace llmroute::core {

const Judged* find_judged(const Experience& experience,
                          const std::string& model, const Cell& cell) {
  const auto found = experience.judged.find(model);
  if (found == experience.judged.end()) return nullptr;
  for (const Judged& judged : found->second) {
    if (judged.cell == cell) return &judged;
  }
  return nullptr;
}

}  // namespace llmroute::core
