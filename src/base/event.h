// An event that wakes a poll in another thread: an eventfd.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/files.h"

namespace llmroute::base {

// Readable once it was told; reading takes that back. Invalid if no descriptor
// is to be had.
inline Descriptor new_event() {
  return Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

// Thread-safe.
inline void tell(const Descriptor& event) {
  const uint64_t one = 1;
  (void)!::write(event.get(), &one, sizeof one);
}

}  // namespace llmroute::base
