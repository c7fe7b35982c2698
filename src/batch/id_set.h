// Which ids have been seen, for any number of them in little memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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
  // The same for many ids by their fingerprints: is_new(i, whether the i-th is)
  // is called in order.
  template <class IsNew>
  base::Status insert(std::span<const base::Fingerprint> ids,
                      const IsNew& is_new) {
    for (const base::Fingerprint& id : ids) seen_.expect(id);
    for (size_t i = 0; i < ids.size(); ++i) {
      LLMROUTE_TRY(const bool fresh, seen_.insert(ids[i], 0));
      is_new(i, fresh);
    }
    return {};
  }

 private:
  FingerprintMap seen_;
};

}  // namespace llmroute::batch
