// JSON from outside, read into a tree that forgives what others get wrong:
// fields in any order and repeated, numbers too large to mean anything, lone
// surrogate escapes, invalid UTF-8. Depth and size are bounded.
//
// Strings are UTF-8, except that a lone surrogate escape (\ud83d) is kept in
// its three-byte form (ED A0 BD): its other half may come in the next piece
// of a stream. provider::TextJoiner turns that into UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"

namespace llmroute::base {

inline constexpr int kMaxJsonDepth = 64;

class Json {
 public:
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_object() const { return kind_ == Kind::kObject; }
  bool is_array() const { return kind_ == Kind::kArray; }

  // The field of an object, the last that is not null if it is repeated; null
  // for anything missing, so that look-ups can be chained.
  const Json& operator[](std::string_view key) const;
  // The element of an array; null beyond its end.
  const Json& at(size_t index) const;
  // Elements of an array, values of an object.
  const std::vector<Json>& items() const { return items_; }
  // Names of an object's fields, in their order.
  const std::vector<std::string>& names() const { return keys_; }
  bool has(std::string_view key) const { return !(*this)[key].is_null(); }
  // The last field of that name, null or not; nullptr if there is none.
  const Json* find(std::string_view key) const;

  std::optional<std::string_view> string() const;
  // The string, or "" for anything else.
  std::string_view text() const { return string().value_or(""); }
  // The string, or the digits of a number: codes come as either.
  std::string_view text_or_number() const;
  // A count of something: not negative, below 2^53, also as 12.0 or "12".
  std::optional<int64_t> count() const;
  std::optional<double> number() const;
  // A number as it was written.
  std::string_view digits() const {
    return kind_ == Kind::kNumber ? text_ : std::string_view();
  }
  bool is_true() const { return kind_ == Kind::kBool && text_ == "true"; }

 private:
  friend class JsonBuilder;

  Kind kind_ = Kind::kNull;
  std::string text_;  // of a string; of a number or bool as written
  std::vector<std::string> keys_;
  std::vector<Json> items_;
};

struct JsonText {
  Json root;
  bool repaired = false;  // it held invalid UTF-8
};

// Reads one JSON text. Nothing if it is not JSON, is cut, has anything but
// white space after it, or nests deeper than kMaxJsonDepth. Thread-safe.
std::optional<JsonText> read_json(std::string_view text);

// The same value in as few bytes as it takes: numbers as they were written,
// repeated fields too; half of a surrogate pair becomes U+FFFD.
void write_json(JsonWriter& out, const Json& value);
std::string compact_json(const Json& value);

// Bytes of the object or array that `text` begins with, judged by brackets and
// quotes alone; nothing if it does not end.
std::optional<size_t> json_extent(std::string_view text);

}  // namespace llmroute::base
