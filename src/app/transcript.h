// What --transcript asks for: prompt and answer of a run, as a line of JSON at
// the end of a file that only its owner can read. Nothing else stores text.
#pragma once

#include <string>

#include "app/attempt_plan.h"
#include "app/route.h"
#include "base/files.h"
#include "base/result.h"

namespace llmroute::app {

class Transcript {
 public:
  // Before anything is sent. A link, or no regular file: kCannotCreate.
  static base::Result<Transcript> open(const std::string& path);

  // Waits for others that write. `exit` as in the ledger. kIo: nothing of it
  // was written.
  base::Status add(const std::string& id, const Routed& routed,
                   const Answered& answered, int exit);

 private:
  Transcript(std::string path, base::Descriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  base::Descriptor file_;
};

}  // namespace llmroute::app
