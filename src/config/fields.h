// What each key of schema.h sets, and how it is written again. One array per
// section, in the order of the schema; fields.cc fails to compile if a row is
// missing on either side.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/layer.h"
#include "core/config.h"

namespace llmroute::config {

// One value below a key: "price.input" -> "0.05".
struct Leaf {
  std::string key;
  std::string text;  // TOML; empty: not set
};

template <class T>
struct Field {
  std::string_view key;
  // REQUIRES: the node passed check_value().
  base::Status (*set)(T&, const Node&, const Setting&);
  void (*list)(const T&, std::string_view key, std::vector<Leaf>&);
};

// T is one of core::Config (the top level), Tier, Provider, Model, Price,
// Route, Rule, Profile, Limits, Learning and Budget.
template <class T>
std::span<const Field<T>> fields();
template <class T>
std::string_view section_of();

// "'timeout' in [limits]", "'pattern' in [[rules]]".
std::string key_label(std::string_view section, std::string_view key);

// Looks the key up, checks the value and sets it.
template <class T>
base::Status set_member(T& object, const Member& member, const Layer& layer);

// The same for every member of a table.
template <class T>
base::Status set_members(T& object, const Node& table, const Layer& layer);

// Every value of an object.
template <class T>
std::vector<Leaf> list_members(const T& object) {
  std::vector<Leaf> leaves;
  for (const Field<T>& field : fields<T>()) {
    field.list(object, field.key, leaves);
  }
  return leaves;
}

base::Error unknown_key(const Layer& layer, const Member& member,
                        std::string_view section);

}  // namespace llmroute::config
