// Which ids have been seen, for any number of them in little memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/sha256.h"
#include "batch/fingerprint_map.h"

namespace llmroute::batch {

// One thread. Ids are told apart by their fingerprints.
class IdSet {
 public:
  // A scratch file is made in `directory` when there are many.
  explicit IdSet(std::string directory) : seen_(std::move(directory)) {}

  // Whether `id` is new; it is from now on known. Errors: kIo; kCannotCreate.
  base::Result<bool> insert(std::string_view id) {
    return seen_.insert(base::fingerprint(id), 0);
  }

 private:
  FingerprintMap seen_;
};

}  // namespace llmroute::batch
