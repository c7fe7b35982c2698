// Writes JSON text: valid UTF-8 in, valid JSON out. Numbers are printed with
// the shortest digits that read back the same. Invalid UTF-8 becomes U+FFFD.
// Keeps no state but the text; the caller keeps the brackets balanced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace llmroute::base {

// Appends `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

//   JsonWriter json;
//   json.begin_object().key("id").value("a").key("n").value(3).end_object();
//   json.text() == R"({"id":"a","n":3})"
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) {
    return value(std::string_view(text));
  }
  JsonWriter& value(double number);  // NaN and infinities become null
  template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  JsonWriter& value(T number) {
    if constexpr (std::is_same_v<T, bool>) {
      return literal(number ? "true" : "false");
    } else {
      return integer(static_cast<int64_t>(number));
    }
  }
  JsonWriter& null() { return literal("null"); }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  template <class T>
  JsonWriter& value(const std::vector<T>& items) {
    begin_array();
    for (const T& item : items) value(item);
    return end_array();
  }
  // Text that is JSON already.
  JsonWriter& raw(std::string_view json) { return literal(json); }
  // `"a":1,"b":2`: members that are JSON already.
  JsonWriter& members(std::string_view json) {
    separate();
    text_ += json;
    return *this;
  }
  template <class T>
  JsonWriter& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  JsonWriter& text_or_null(std::string_view name, std::string_view text) {
    return text.empty() ? key(name).null() : field(name, text);
  }
  // An array, of which `write(json, item)` writes each item.
  template <class Items, class Write>
  JsonWriter& list(std::string_view name, const Items& items,
                   const Write& write) {
    key(name).begin_array();
    for (const auto& item : items) write(*this, item);
    return end_array();
  }

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  JsonWriter& literal(std::string_view text);
  JsonWriter& integer(int64_t number);
  void separate();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace llmroute::base
