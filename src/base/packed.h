// Values as bytes, and back: real numbers as 8 bytes, the lowest first; whole
// ones 7 bits a byte, the lowest first, the top bit set in all bytes but the
// last; texts, lists and maps after their size. One function that takes either
// class can name the fields of a struct for both ways.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute::base {

class Packer {
 public:
  // Begins with the version of what is packed.
  explicit Packer(uint8_t version) {
    bytes_.reserve(256);
    bytes_ += static_cast<char>(version);
  }

  void operator()(double value) { fixed(std::bit_cast<uint64_t>(value)); }
  void operator()(int64_t value) {
    auto left = static_cast<uint64_t>(value);
    for (; left >= 128; left >>= 7) bytes_ += static_cast<char>(left | 128);
    bytes_ += static_cast<char>(left);
  }
  void operator()(std::same_as<bool> auto value) { bytes_ += value ? 1 : 0; }
  void operator()(std::string_view text) {
    (*this)(static_cast<int64_t>(text.size()));
    bytes_ += text;
  }
  template <class T>
  void operator()(const std::optional<T>& maybe) {
    (*this)(maybe.has_value());
    if (maybe) (*this)(*maybe);
  }
  template <class T>
  void operator()(const std::vector<T>& items) {
    list(items, [this](const T& item) { (*this)(item); });
  }
  void operator()(const std::map<std::string, std::string>& items) {
    map(items, [this](const std::string& value) { (*this)(value); });
  }
  void number(int64_t value, int64_t) { (*this)(value); }
  template <class T>
  void list(const std::vector<T>& items, auto&& each) {
    (*this)(static_cast<int64_t>(items.size()));
    for (const T& item : items) each(item);
  }
  template <class T>
  void map(const std::map<std::string, T>& items, auto&& each) {
    (*this)(static_cast<int64_t>(items.size()));
    for (const auto& [name, item] : items) {
      (*this)(name);
      each(item);
    }
  }

  std::string take() { return std::move(bytes_); }

 private:
  void fixed(uint64_t value) {
    std::array<char, 8> bytes{};
    for (char& byte : bytes) {
      byte = static_cast<char>(value);
      value >>= 8;
    }
    bytes_.append(bytes.data(), bytes.size());
  }

  std::string bytes_;
};

// Takes the values in the order in which they were packed. Bytes that cannot
// have been packed so are noted; what is read then is 0 or empty. Views that it
// gives point into the bytes.
class Unpacker {
 public:
  // kFinite: others are refused, as what cannot be reckoned with.
  enum class Reals { kFinite, kAny };
  Unpacker(std::string_view bytes, uint8_t version,
           Reals reals = Reals::kFinite)
      : left_(bytes), reals_(reals) {
    if (byte() != version) fail();
  }

  void operator()(double& value) {
    uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) bits |= byte() << shift;
    value = whole_ ? std::bit_cast<double>(bits) : 0;
    if (reals_ == Reals::kFinite && !std::isfinite(value)) fail();
    if (!whole_) value = 0;
  }
  void operator()(int64_t& value) { number(value, INT64_MAX); }
  void operator()(std::same_as<bool> auto& value) {
    const uint64_t flag = byte();
    if (flag > 1) fail();
    value = whole_ && flag == 1;
  }
  void operator()(std::string_view& text) {
    const size_t size = size_of_next();
    text = left_.substr(0, size);
    left_.remove_prefix(size);
  }
  void operator()(std::string& text) {
    std::string_view view;
    (*this)(view);
    text = view;
  }
  template <class T>
  void operator()(std::optional<T>& maybe) {
    bool has = false;
    (*this)(has);
    maybe.reset();
    if (has) (*this)(maybe.emplace());
  }
  template <class T>
  void operator()(std::vector<T>& items) {
    list(items, [this](T& item) { (*this)(item); });
  }
  void operator()(std::map<std::string, std::string>& items) {
    map(items, [this](std::string& value) { (*this)(value); });
  }
  // 0 .. `most`
  void number(int64_t& value, int64_t most) {
    uint64_t sum = 0;
    uint64_t next = 128;
    for (int shift = 0; next >= 128 && shift < 63; shift += 7) {
      next = byte();
      sum |= (next & 127) << shift;
    }
    if (next >= 128 || sum > static_cast<uint64_t>(most)) fail();
    value = whole_ ? static_cast<int64_t>(sum) : 0;
  }
  // Each item takes a byte or more.
  template <class T>
  void list(std::vector<T>& items, auto&& each) {
    items.clear();
    for (size_t left = size_of_next(); left > 0 && whole_; --left) {
      each(items.emplace_back());
    }
  }
  template <class T>
  void map(std::map<std::string, T>& items, auto&& each) {
    items.clear();
    for (size_t left = size_of_next(); left > 0 && whole_; --left) {
      std::string name;
      (*this)(name);
      each(items[name]);
    }
  }

  bool has_more() const { return !left_.empty(); }
  // Whether everything made sense so far, and nothing is left.
  bool whole() const { return whole_ && left_.empty(); }

 private:
  void fail() {
    whole_ = false;
    left_ = {};
  }
  uint64_t byte() {
    if (left_.empty()) {
      fail();
      return 0;
    }
    const auto first = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return first;
  }
  size_t size_of_next() {
    int64_t size = 0;
    number(size, INT64_MAX);
    if (static_cast<uint64_t>(size) <= left_.size()) {
      return static_cast<size_t>(size);
    }
    fail();
    return 0;
  }

  std::string_view left_;
  Reals reals_;
  bool whole_ = true;
};

}  // namespace llmroute::base
