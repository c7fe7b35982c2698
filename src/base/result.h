// Result<T>: a value or the Error that prevented it; Status: success or an
// Error.
//
// An error is returned or reported, once. Its kind says what the caller does
// next (core/exit_status.h maps kinds to exit statuses); its message is for a
// person: lower case, no full stop, names what, where and what to do. Members
// are named as in C++23's std::expected.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace llmroute::base {

enum class ErrorKind : uint8_t {
  kNegative,      // ran fine, the answer is "no"
  kIncomplete,    // output began and then broke, or is not a whole answer
  kBudget,        // a cost ceiling
  kUsage,         // bad command line
  kData,          // bad input
  kNoInput,       // empty input, or it cannot be opened
  kUnavailable,   // no model fits
  kSoftware,      // a bug in llmroute
  kOs,            // memory, descriptors, processes
  kCannotCreate,  // an output cannot be created
  kIo,            // a write failed
  kTryLater,      // rate limit, overload, network; nothing was printed
  kProtocol,      // the provider's reply made no sense
  kNoPermission,  // key, certificate, file mode
  kConfig,        // bad config or model file
};

struct Error {
  ErrorKind kind = ErrorKind::kSoftware;
  std::string message;
  // What a program may want to know beside it: members of a JSON object,
  // `"provider":"x","attempts":3`; mostly empty.
  std::string facts = {};
};

// Puts the place in front of a message: `reading a.toml: line 3: unknown key`.
inline Error with_context(const std::string& where, Error error) {
  error.message = where + ": " + error.message;
  return error;
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error)
      : state_(std::move(error)) {}  // NOLINT: implicit by design

  bool has_value() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return has_value(); }
  // REQUIRES: has_value().
  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  // REQUIRES: !has_value().
  const Error& error() const& { return std::get<Error>(state_); }
  Error&& error() && { return std::get<Error>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error)
      : error_(std::move(error)),
        failed_(true) {}  // NOLINT: implicit by design

  bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  // REQUIRES: !has_value().
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool failed_ = false;
};

using Status = Result<void>;

}  // namespace llmroute::base

#define LLMROUTE_CONCAT_(a, b) a##b
#define LLMROUTE_CONCAT(a, b) LLMROUTE_CONCAT_(a, b)
// LLMROUTE_TRY(int n, parse(text)); passes an error on to the caller, else
// declares n.
#define LLMROUTE_TRY(decl, expr)                               \
  auto LLMROUTE_CONCAT(try_, __LINE__) = (expr);               \
  if (!LLMROUTE_CONCAT(try_, __LINE__).has_value()) {          \
    return std::move(LLMROUTE_CONCAT(try_, __LINE__)).error(); \
  }                                                            \
  decl = *std::move(LLMROUTE_CONCAT(try_, __LINE__))  // NOLINT
// LLMROUTE_CHECK(write(text)); the same for a Status.
#define LLMROUTE_CHECK(expr)                               \
  if (auto try_status = (expr); !try_status.has_value()) { \
    return std::move(try_status).error();                  \
  }
