// A line of JSON whose whole text is checked and of which the upper levels are
// laid out as a list of nodes. Numbers are never converted, so 30-digit
// integers, 1e400 and -0 stay what they are; strings have their escapes
// resolved.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "batch/record_error.h"

namespace llmroute::batch {

inline constexpr int kMaxLineDepth = 128;

struct JsonNode {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
  class Children;

  std::string_view key;   // of a member of an object
  std::string_view raw;   // as written
  std::string_view text;  // of a string
  uint32_t size = 1;      // of nodes: this one and all beneath it
  Kind kind = Kind::kNull;
  // A string with half of a surrogate pair: `text` is not UTF-8.
  bool lone_surrogate = false;
  uint8_t levels = 0;  // of arrays and objects beneath this one

  bool is(Kind other) const { return kind == other; }
  bool is_null() const { return kind == Kind::kNull; }
  bool is_true() const { return raw == "true"; }
  // Elements of an array, members of an object; none if they are not laid out.
  Children children() const;
  // The member of an object, null values included; null if there is none.
  const JsonNode* find(std::string_view name) const;
  // The same, but null values count as none.
  const JsonNode* find_value(std::string_view name) const;
  // The text of a member that is a string, else "".
  std::string_view text_of(std::string_view name) const;
  // A number or string of digits that is a whole number.
  std::optional<int64_t> whole_number() const;
};

// A range for `for`. Nodes of a subtree follow each other.
class JsonNode::Children {
 public:
  class Iterator {
   public:
    explicit Iterator(const JsonNode* node) : node_(node) {}
    const JsonNode& operator*() const { return *node_; }
    Iterator& operator++() {
      node_ += node_->size;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const JsonNode* node_;
  };

  explicit Children(const JsonNode& parent) : parent_(&parent) {}
  Iterator begin() const { return Iterator(parent_ + 1); }
  Iterator end() const { return Iterator(parent_ + parent_->size); }
  bool empty() const { return parent_->size == 1; }

 private:
  const JsonNode* parent_;
};

inline JsonNode::Children JsonNode::children() const { return Children(*this); }

// One thread. Its buffers are reused from line to line.
class JsonLine {
 public:
  JsonLine();
  JsonLine(JsonLine&&) noexcept;
  ~JsonLine();

  // Reads an object. `levels` of it are laid out: 1 is its members, 2 their
  // members too. What the object's members called "meta" and "schema" hold is
  // laid out in kData only. A fault: not UTF-8, not one JSON object, an object
  // with a key twice, deeper than kMaxLineDepth, more than 2^18 nodes.
  enum class What { kRecord, kData };
  Fault parse(std::string_view line, int levels, What what = What::kRecord);

  // Whether the whole of `text` is one JSON value. Counts as a parse().
  bool is_value(std::string_view text);

  // Of the line parsed last; it and its views live until the next parse().
  // REQUIRES: no fault.
  const JsonNode& root() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmroute::batch
