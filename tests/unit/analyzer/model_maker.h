// Small models for tests: valid, with weights that differ everywhere.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "analyzer/model_file.h"

namespace model_maker {

struct Made {
  std::vector<llmroute::analyzer::GramRow> rows;
  std::vector<uint8_t> seen;
  std::vector<llmroute::analyzer::OwnHead> own;
  std::vector<uint32_t> trained = {3, 1'000'000, 4'000'000'000};
  llmroute::analyzer::Model model;  // views the four above
  Made() = default;
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
};

inline void fill(Made& made, uint32_t bucket_bits, uint32_t seen_bits) {
  std::mt19937 random(1);
  made.rows.resize(size_t{1} << bucket_bits);
  made.seen.resize((size_t{1} << seen_bits) / 8);
  for (auto& row : made.rows) {
    for (int8_t& weight : row.weight) {
      weight = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
    }
  }
  for (uint8_t& byte : made.seen) byte = static_cast<uint8_t>(random());
  made.model.bucket_bits = bucket_bits;
  made.model.seen_bits = seen_bits;
  made.model.rows = made.rows;
  made.model.seen = made.seen;
  const auto uniform = [&] {
    return static_cast<float>(random() % 2001) / 1000 - 1;
  };
  for (size_t h = 0; h < llmroute::analyzer::kHeadCount; ++h) {
    made.model.gram_scale[h] = 0.01F + 0.001F * static_cast<float>(h);
    made.model.bias[h] = uniform();
    for (auto& row : made.model.dense) row[h] = uniform() / 10;
  }
  for (float& base : made.model.base) base = uniform();
  for (const char* name : {"first", "vendor/second"}) {
    llmroute::analyzer::OwnHead& head = made.own.emplace_back();
    std::string_view(name).copy(head.model.data(), head.model.size());
    head.bias = uniform();
    for (float& weight : head.weight) weight = uniform() / 10;
  }
  made.model.own = made.own;
  made.model.trained = made.trained;
  made.model.slope = 1.25F;
  made.model.shrink = 1.5F;
}

inline std::string bytes(uint32_t bucket_bits = 4, uint32_t seen_bits = 5) {
  Made made;
  fill(made, bucket_bits, seen_bits);
  return llmroute::analyzer::serialize_model(made.model, {7, 100, 8});
}

}  // namespace model_maker
