// A column's value into a statement, or out of one.
#pragma once

#include <optional>
#include <string>

#include "store/database.h"
#include "store/rows.h"

namespace llmroute::store {

// Binds values to parameters one after the other; texts and bytes are borrowed
// until the statement has run.
class Binder {
 public:
  explicit Binder(Statement& statement, int first = 0)
      : statement_(statement), next_(first) {}

  template <class T>
  void operator()(const char* name, const std::optional<T>& value) {
    value ? (*this)(name, *value) : (void)statement_.bind_null(next_++);
  }
  void operator()(const char*, const std::string& value) {
    statement_.bind_borrowed(next_++, value);
  }
  void operator()(const char*, const Blob& value) {
    statement_.bind_borrowed_bytes(next_++, value.bytes);
  }
  template <class T>
  void operator()(const char*, const T& value) {
    statement_.bind(next_++, value);
  }

 private:
  Statement& statement_;
  int next_;
};

// Takes the columns of the current row one after the other.
class Reader {
 public:
  explicit Reader(const Statement& statement) : statement_(statement) {}

  template <class T>
  void operator()(const char*, std::optional<T>& value) {
    if (statement_.is_null(next_)) {
      value.reset();
      ++next_;
    } else {
      take(value.emplace());
    }
  }
  template <class T>
  void operator()(const char*, T& value) {
    take(value);
  }

 private:
  void take(int64_t& value) { value = statement_.integer(next_++); }
  void take(double& value) { value = statement_.real(next_++); }
  void take(std::string& value) { value = statement_.text(next_++); }
  void take(Blob& value) { value.bytes = statement_.text(next_++); }

  const Statement& statement_;
  int next_ = 0;
};

}  // namespace llmroute::store
