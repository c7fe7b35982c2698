// Text -> Analysis: hashed n-grams and dense features, linear heads, one pass
// over the bytes. Pure and offline.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/analysis.h"

namespace llmroute::analyzer {

// The text to analyse: the instruction counts in full, of the context a bounded
// head and tail.
struct Input {
  std::string_view instruction;
  std::string_view context;
};

// Immutable after loading; safe to share between threads.
class Analyzer {
 public:
  // The model embedded in the binary. Cannot fail: the build checked it.
  static Analyzer embedded();
  // A model file; anything off (magic, version, sizes, checksum, NaN): kConfig
  // naming the file; unsafe mode or owner: kNoPermission.
  static base::Result<Analyzer> load(const std::string& path);
  Analyzer(Analyzer&&) noexcept;
  Analyzer& operator=(Analyzer&&) noexcept;
  ~Analyzer();

  core::Analysis analyze(const Input& input) const;
  // The features that moved each head most, largest contribution first, at most
  // `limit` a head. Collisions of hashes within the prompt are resolved by
  // recomputing from the text.
  std::vector<core::Contribution> explain(const Input& input,
                                          size_t limit) const;

  // Whether a prompt of this fingerprint was trained on (Model::trained).
  bool trained_on(uint32_t fingerprint) const;
  std::string id() const;      // "builtin-1" or the file's name
  std::string sha256() const;  // of the model file, lower-case hex

 private:
  struct Impl;
  explicit Analyzer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace llmroute::analyzer
