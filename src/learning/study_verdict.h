// A study in one sentence: whether routing is worth it.
#pragma once

#include <string>

#include "learning/study_report.h"

namespace llmroute::learning {

// "routing gains X +- Y over the best constant at equal cost ..." where the
// interval excludes zero, or "routing saves X % ..." where it does so beyond
// mixing constants; else "no gain: use MODEL". Without costs the same at equal
// calls.
std::string verdict_of(const StudyReport& study);

}  // namespace llmroute::learning
