// A ceiling on what a batch may cost: the worst case of a request is held
// before it is sent and settled after it. settled + held never exceeds the
// ceiling.
#pragma once

#include <optional>

#include "core/money.h"

namespace llmroute::batch {

class Budget {
 public:
  // No ceiling: everything fits. `settled`: what earlier runs have spent.
  Budget(std::optional<core::Money> ceiling, core::Money settled)
      : ceiling_(ceiling), settled_(settled) {}

  // False: it does not fit now; it may once what is held is settled for less.
  bool hold(core::Money worst) {
    if (ceiling_ && settled_ + held_ + worst > *ceiling_) return false;
    held_ += worst;
    return true;
  }
  // Ends a hold. REQUIRES: hold(worst) was true.
  void settle(core::Money worst, core::Money spent) {
    held_ -= worst;
    settled_ += spent;
  }
  // REQUIRES: there is a ceiling.
  core::Money left() const { return *ceiling_ - settled_ - held_; }
  const std::optional<core::Money>& ceiling() const { return ceiling_; }
  core::Money settled() const { return settled_; }

 private:
  std::optional<core::Money> ceiling_;
  core::Money settled_, held_;
};

}  // namespace llmroute::batch
