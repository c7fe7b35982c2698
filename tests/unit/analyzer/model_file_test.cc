#include "analyzer/model_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "analyzer/analyzer.h"
#include "base/crc32c.h"
#include "base/files.h"
#include "base/sha256.h"
#include "model_maker.h"

using llmroute::analyzer::Analyzer;
using llmroute::analyzer::Check;
using llmroute::analyzer::embedded_model;
using llmroute::analyzer::ModelFile;
using llmroute::analyzer::parse_model;
using llmroute::base::ErrorKind;

namespace {

std::string error_of(std::string_view bytes) {
  const auto file = parse_model(bytes, Check::kWhole);
  if (file) return "";
  CHECK(file.error().kind == ErrorKind::kConfig);
  return file.error().message;
}

template <class T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

std::string with_crc(std::string bytes) {
  put(bytes, 112,
      llmroute::base::crc32c(bytes.substr(0, 112) + bytes.substr(116)));
  return bytes;
}

// Makes the checksums right again after a change.
std::string sealed(std::string bytes) {
  std::string rest =
      bytes.substr(0, 64) + bytes.substr(96, 16) + bytes.substr(116);
  const auto digest = llmroute::base::sha256(rest);
  std::memcpy(bytes.data() + 64, digest.data(), digest.size());
  return with_crc(std::move(bytes));
}

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view bytes, mode_t mode = 0600) {
    char name[] = "/tmp/llmroute-model-XXXXXX";
    const llmroute::base::Descriptor file(::mkstemp(name));
    path_ = name;
    REQUIRE(llmroute::base::write_all(file.get(), bytes) == 0);
    REQUIRE(::chmod(name, mode) == 0);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("a model survives being written and read") {
  model_maker::Made made;
  model_maker::fill(made, 6, 8);
  const std::string bytes =
      llmroute::analyzer::serialize_model(made.model, {7, 100, 8});
  const auto file = parse_model(bytes, Check::kWhole);
  REQUIRE(file);
  const auto& read = file->model;
  CHECK(read.bucket_bits == 6);
  CHECK(read.seen_bits == 8);
  CHECK(read.slope == made.model.slope);
  CHECK(read.shrink == made.model.shrink);
  CHECK(read.gram_scale == made.model.gram_scale);
  CHECK(read.bias == made.model.bias);
  CHECK(read.base == made.model.base);
  CHECK(read.dense == made.model.dense);
  REQUIRE(read.rows.size() == made.rows.size());
  CHECK(std::memcmp(read.rows.data(), made.rows.data(),
                    read.rows.size_bytes()) == 0);
  CHECK(std::equal(read.seen.begin(), read.seen.end(), made.seen.begin(),
                   made.seen.end()));
  CHECK(std::equal(read.trained.begin(), read.trained.end(),
                   made.trained.begin(), made.trained.end()));
  CHECK(file->training.seed == 7);
  CHECK(file->training.rows == 100);
  CHECK(file->training.epochs == 8);
}

TEST_CASE("M2: a model truncated at any length is refused") {
  const std::string bytes = model_maker::bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    REQUIRE(!parse_model(cut, Check::kWhole));
    REQUIRE(!parse_model(cut, Check::kDamage));
    REQUIRE(!parse_model(cut, Check::kForm));
  }
  CHECK(error_of(bytes.substr(0, 100)).find("truncated") != std::string::npos);
}

TEST_CASE("M3: a model with one changed byte is refused") {
  const std::string bytes = model_maker::bytes(8, 10);
  const auto flipped = [&](size_t at, uint8_t mask) {
    std::string copy = bytes;
    copy[at] = static_cast<char>(static_cast<uint8_t>(copy[at]) ^ mask);
    return copy;
  };
  for (size_t at = 0; at < 576; ++at) {
    CAPTURE(at);
    REQUIRE(error_of(flipped(at, 0xff)) != "");
    REQUIRE(error_of(flipped(at, 0x01)) != "");
    REQUIRE(!parse_model(flipped(at, 0x01), Check::kDamage));
  }
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) {
    const size_t at = 576 + random() % (bytes.size() - 576);
    CAPTURE(at);
    const std::string bad =
        flipped(at, static_cast<uint8_t>(1 + random() % 255));
    REQUIRE(error_of(bad) != "");
    REQUIRE(!parse_model(bad, Check::kDamage));
  }
}

TEST_CASE("M3: a change with a right CRC is refused by its SHA-256") {
  std::string bytes = model_maker::bytes(8, 10);
  bytes[5000] = static_cast<char>(bytes[5000] ^ 1);
  CHECK(error_of(bytes).find("CRC does not match") != std::string::npos);
  CHECK(!parse_model(bytes, Check::kDamage));
  bytes = with_crc(bytes);
  CHECK(error_of(bytes).find("SHA-256 does not match") != std::string::npos);
  CHECK(parse_model(bytes, Check::kDamage));
}

TEST_CASE("M9: trailing bytes are refused") {
  CHECK(error_of(model_maker::bytes() + '\0') != "");
  CHECK(error_of(sealed(model_maker::bytes() + "more")) != "");
}

constexpr size_t kOwnSize = sizeof(llmroute::analyzer::OwnHead);
constexpr size_t kTrainedSize = 3 * sizeof(uint32_t);

TEST_CASE("own heads are read as they were written") {
  model_maker::Made made;
  model_maker::fill(made, 4, 5);
  const std::string bytes = model_maker::bytes();
  const auto file =
      llmroute::analyzer::parse_model(bytes, llmroute::analyzer::Check::kWhole);
  REQUIRE(file);
  REQUIRE(file->model.own.size() == 2);
  CHECK(file->model.own[1].model == made.own[1].model);
  CHECK(file->model.own[1].bias == made.own[1].bias);
  CHECK(file->model.own[1].weight == made.own[1].weight);
}

TEST_CASE("M4, M5, M6: refusals say what is wrong") {
  struct Case {
    const char* what;
    void (*change)(std::string&);
    const char* message;
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {"magic", [](std::string& b) { b[0] = 'X'; }, "wrong magic"},
      {"byte order", [](std::string& b) { put(b, 8, 0x04030201U); },
       "byte order"},
      {"newer version", [](std::string& b) { put(b, 12, 5U); },
       "format version 5, this build reads version 4"},
      {"size of 2^40", [](std::string& b) { put(b, 16, uint64_t{1} << 40); },
       "its header says 1099511627776"},
      {"no size", [](std::string& b) { put(b, 16, uint64_t{0}); },
       "its header says 0"},
      {"heads", [](std::string& b) { put(b, 24, 17U); }, "17 heads"},
      {"dense", [](std::string& b) { put(b, 28, 0xffffffffU); },
       "4294967295 dense"},
      {"domains", [](std::string& b) { put(b, 32, 8U); }, "8 domains"},
      {"buckets", [](std::string& b) { put(b, 36, 40U); }, "2^40"},
      {"buckets that overflow", [](std::string& b) { put(b, 36, 0x80000004U); },
       "impossible"},
      {"more buckets", [](std::string& b) { put(b, 36, 5U); }, "tables need"},
      {"seen bits", [](std::string& b) { put(b, 40, 63U); }, "impossible"},
      {"few seen bits", [](std::string& b) { put(b, 40, 4U); }, "impossible"},
      {"a slope of zero", [](std::string& b) { put(b, 96, 0.0F); }, "slope"},
      {"a NaN slope", [](std::string& b) { put(b, 96, kNan); }, "slope"},
      {"a negative shrinkage", [](std::string& b) { put(b, 100, -1.0F); },
       "shrinkage"},
      {"too many own heads", [](std::string& b) { put(b, 104, 65U); },
       "65 own heads"},
      {"more own heads", [](std::string& b) { put(b, 104, 3U); },
       "tables need"},
      {"an own head without a name",
       [](std::string& b) { b[b.size() - kTrainedSize - kOwnSize] = 0; },
       "has no name"},
      {"a NaN own weight",
       [](std::string& b) { put(b, b.size() - kTrainedSize - 4, kNan); },
       "not a number up to a million"},
      {"more prompts trained on", [](std::string& b) { put(b, 108, 4U); },
       "tables need"},
      {"prompts trained on out of order",
       [](std::string& b) { put(b, b.size() - 4, 2U); }, "not in order"},
      {"another head's name", [](std::string& b) { b[128] = 'k'; },
       "head 0 is not 'code'"},
      {"a NaN scale", [](std::string& b) { put(b, 384, kNan); },
       "not a number up to a million"},
      {"an infinite bias", [](std::string& b) { put(b, 448, kInfinite); },
       "not a number up to a million"},
      {"a NaN base", [](std::string& b) { put(b, 512, kNan); },
       "not a number up to a million"},
      {"a huge weight", [](std::string& b) { put(b, 580, 1e30F); },
       "not a number up to a million"},
      {"an infinite weight", [](std::string& b) { put(b, 580, -kInfinite); },
       "not a number up to a million"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    std::string bytes = model_maker::bytes();
    c.change(bytes);
    const std::string message = error_of(sealed(bytes));
    CAPTURE(message);
    CHECK(message.find(c.message) != std::string::npos);
  }
}

TEST_CASE("M6: denormal weights are fine") {
  std::string bytes = model_maker::bytes();
  put(bytes, 580, std::numeric_limits<float>::denorm_min());
  CHECK(error_of(sealed(bytes)) == "");
}

TEST_CASE("the embedded model is whole and small") {
  const auto file = parse_model(embedded_model(), Check::kWhole);
  REQUIRE(file);
  CHECK(embedded_model().size() <= size_t{1} << 20);
  const Analyzer analyzer = Analyzer::embedded();
  CHECK(analyzer.id() == "builtin-1");
  CHECK(analyzer.sha256() == file->sha256);
  CHECK(analyzer.sha256().size() == 64);
}

TEST_CASE("a model file is loaded by name and named in errors") {
  const TemporaryFile good(model_maker::bytes());
  const auto analyzer = Analyzer::load(good.path());
  REQUIRE(analyzer);
  CHECK(analyzer->id() == llmroute::base::base_name(good.path()));

  const TemporaryFile bad("nothing");
  const auto refused = Analyzer::load(bad.path());
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kConfig);
  CHECK(refused.error().message.find(bad.path()) != std::string::npos);

  const auto missing = Analyzer::load("/nonexistent/x.model");
  REQUIRE(!missing);
  CHECK(missing.error().kind == ErrorKind::kConfig);
  const auto folder = Analyzer::load("/tmp");
  REQUIRE(!folder);
  CHECK(folder.error().kind == ErrorKind::kConfig);
}

TEST_CASE("M8: a model file that others may write is not trusted") {
  for (const mode_t mode : {0620U, 0602U, 0666U}) {
    CAPTURE(mode);
    const TemporaryFile file(model_maker::bytes(), mode);
    const auto refused = Analyzer::load(file.path());
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::kNoPermission);
  }
  const TemporaryFile readable(model_maker::bytes(), 0644);
  CHECK(Analyzer::load(readable.path()));
}

TEST_CASE("M7: a loaded model does not follow changes of its file") {
  const TemporaryFile file(model_maker::bytes(10, 10));
  const auto analyzer = Analyzer::load(file.path());
  REQUIRE(analyzer);
  const auto before = analyzer->analyze({"some words to look at", {}});
  REQUIRE(::truncate(file.path().c_str(), 0) == 0);
  const auto after = analyzer->analyze({"some words to look at", {}});
  CHECK(before.difficulty == after.difficulty);
  CHECK(before.domain == after.domain);
}
