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
//       64    32  SHA-256 of every other byte of the file
//       96     4  slope (float)           100  4  shrink (float)
//      104     4  own heads             108    4  prompts trained on
//      112    16  zero
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
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/model.h"
#include "base/result.h"

namespace llmroute::analyzer {

inline constexpr uint32_t kFormatVersion = 2;
inline constexpr size_t kLargestModelFile = size_t{64} << 20;

// How the model was made; kept in the file, not used for decisions.
struct Training {
  uint64_t seed = 0;
  uint64_t rows = 0;
  uint32_t epochs = 0;
};

enum class Checksum { kVerify, kTrust };

struct ModelFile {
  Model model;  // rows, seen and own point into the bytes given
  Training training;
  std::string sha256;  // as stored, lower-case hex
};

// REQUIRES: `bytes` outlives the result and starts at a multiple of 4.
// Anything off: kConfig, saying what.
base::Result<ModelFile> parse_model(std::string_view bytes, Checksum checksum);

// The file's bytes for a model.
std::string serialize_model(const Model& model, const Training& training);

// Opens, checks owner and mode (kNoPermission) and reads a model file, so that
// later changes of the file cannot disturb; the bytes still have to be parsed.
base::Result<std::vector<char>> read_model_file(const std::string& path);

// The model in the binary.
std::string_view embedded_model();

}  // namespace llmroute::analyzer
