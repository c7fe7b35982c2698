#include "app/replay.h"

namespace llmroute::app {

base::Result<core::ExitStatus> replay(const ReplayOptions&,
                                      const base::Environment&) {
  return core::ExitStatus::kSoftware;
}

}  // namespace llmroute::app
