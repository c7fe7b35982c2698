// A TOML document as a plain tree that remembers where each part stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llmroute::config {

struct Position {
  int line = 1;    // 1-based
  int column = 1;  // 1-based, in characters
};

struct Member;

struct Node {
  enum class Kind : uint8_t {
    kString,
    kInteger,
    kFloat,
    kBool,
    kDate,  // dates and times of any sort: no key takes one
    kArray,
    kTable,
  };
  Kind kind = Kind::kTable;
  std::string text;             // kString
  int64_t integer = 0;          // kInteger
  double number = 0;            // kFloat, kInteger; may be infinite or NaN
  bool flag = false;            // kBool
  std::vector<Node> items;      // kArray
  std::vector<Member> members;  // kTable, in the order of the file
  Position at;

  // The member's value, or null. REQUIRES: a table.
  const Node* find(std::string_view key) const;
  bool is_number() const {
    return kind == Kind::kInteger || kind == Kind::kFloat;
  }
};

struct Member {
  std::string key;
  Position at;  // of the key
  Node value;
};

// The kind for people: "a string", "a table".
std::string_view kind_text(Node::Kind kind);

// kConfig with "FILE:LINE:COLUMN: what".
base::Error error_at(const std::string& file, Position at,
                     const std::string& what);

// " (did you mean 'x'?)", or "" if nothing known is near.
std::string did_you_mean(std::string_view name,
                         const std::vector<std::string>& known);

}  // namespace llmroute::config
