// The model file: one file, little-endian, refused whole if anything is off.
//
//   offset  size  what
//        0     8  magic "LLMRMODL"
//        8     4  0x01020304, so that the other byte order is recognised
//       12     4  format version (kFormatVersion)
//       16     8  size of the whole file in bytes
//       24     4  heads (kHeadCount)       28  4  dense features (kDenseCount)
//       32     4  domains (kDomainCount)   36  4  bucket_bits
//       40     4  seen_bits                44  4  iterations
//       48     8  seed of the training
//       56     8  rows it was trained on
//       64    32  SHA-256 of every byte but these and the CRC: its identity
//       96     4  slope (float)           100  4  shrink (float)
//      104     4  own heads             108    4  prompts trained on
//      112     4  CRC-32C of every other byte, the SHA-256 too
//      116    12  zero
//      128   256  names of the heads, 16 bytes each, padded with zeros
//      384    64  scale of the n-gram part, per head (float)
//      448    64  bias per head
//      512    64  base difficulty per domain, padded with zeros
//      576     .  dense weights, kDenseCount rows of kHeadCount floats
//        .     .  seen bits, 2^seen_bits / 8 bytes
//        .     .  n-gram weights, 2^bucket_bits rows of kHeadCount int8
//        .     .  own heads (own_head.h), at most kMostOwnHeads
//        .     .  fingerprints of the prompts trained on, 4 bytes, ascending
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "analyzer/model.h"
#include "base/result.h"

namespace llmroute::analyzer {

inline constexpr uint32_t kFormatVersion = 4;
inline constexpr size_t kLargestModelFile = size_t{64} << 20;

// How the model was made; kept in the file, not used for decisions.
struct Training {
  uint64_t seed = 0;
  uint64_t rows = 0;
  uint32_t epochs = 0;
};

// How much of a model file is checked. Who writes a file to deceive can make
// its CRC right; its SHA-256 then gives it away.
enum class Check {
  kForm,    // sizes and ranges: the file was checked before
  kDamage,  // its CRC too, which takes a thirtieth of the time of
  kWhole    // its SHA-256, and whether it is in order
};

struct ModelFile {
  Model model;  // rows, seen and own point into the bytes given
  Training training;
  std::string sha256;  // as stored, lower-case hex
};

// REQUIRES: `bytes` outlives the result and starts at a multiple of 4.
// Anything off: kConfig, saying what.
base::Result<ModelFile> parse_model(std::string_view bytes, Check check);

// The file's bytes for a model.
std::string serialize_model(const Model& model, const Training& training);

// A model file in memory. It is read, not mapped, so that later changes of the
// file cannot disturb.
class ModelBytes {
 public:
  ModelBytes() = default;
  // Opens the file, checks owner and mode (kNoPermission) and reads it; what is
  // read still has to be parsed.
  static base::Result<ModelBytes> read(const std::string& path);
  // Starts at a multiple of 4; lives as long as this.
  std::string_view view() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  explicit ModelBytes(size_t size);
  std::unique_ptr<char, Free> memory_;
  size_t size_ = 0;
};

// The model in the binary.
std::string_view embedded_model();

}  // namespace llmroute::analyzer
