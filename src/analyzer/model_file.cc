#include "analyzer/model_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <new>
#include <span>

#include "base/crc32c.h"
#include "base/files.h"
#include "base/ownership.h"
#include "base/sha256.h"

namespace llmroute::analyzer {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the model file is read as it lies in memory");

constexpr std::string_view kMagic = "LLMRMODL";
constexpr uint32_t kEndianMark = 0x01020304;
// So that what follows them starts at a multiple of 4.
constexpr uint32_t kFewestSeenBits = 5;
constexpr size_t kDigestAt = 64, kDigestSize = 32, kCrcAt = 112;

struct Header {
  char magic[8];
  uint32_t endian;
  uint32_t version;
  uint64_t file_size;
  uint32_t heads, dense, domains;
  uint32_t bucket_bits, seen_bits;
  uint32_t epochs;
  uint64_t seed;
  uint64_t rows;
  uint8_t digest[kDigestSize];
  float slope, shrink;
  uint32_t own_heads, trained;
  uint32_t crc;
  uint8_t zero[12];
};
static_assert(sizeof(Header) == 128 && offsetof(Header, digest) == kDigestAt &&
              offsetof(Header, crc) == kCrcAt);

struct Tables {
  char names[kHeadCount][16];
  float scale[kHeadCount];
  float bias[kHeadCount];
  float base[16];
  float dense[kDenseCount][kHeadCount];
};
static_assert(sizeof(Tables) == 448 + sizeof(float) * kDenseCount * kHeadCount);

base::Error bad(const std::string& what) {
  return {base::ErrorKind::kConfig, what};
}

size_t seen_bytes(uint32_t bits) { return (size_t{1} << bits) / 8; }
size_t row_bytes(uint32_t bits) { return (size_t{1} << bits) * kHeadCount; }

std::array<uint8_t, kDigestSize> digest_of(std::string_view bytes) {
  base::Sha256 hash;
  hash.update(bytes.substr(0, kDigestAt));
  hash.update(
      bytes.substr(kDigestAt + kDigestSize, kCrcAt - kDigestAt - kDigestSize));
  hash.update(bytes.substr(kCrcAt + sizeof Header::crc));
  return hash.finish();
}

uint32_t crc_of(std::string_view bytes) {
  return base::crc32c(bytes.substr(kCrcAt + sizeof Header::crc),
                      base::crc32c(bytes.substr(0, kCrcAt)));
}

base::Status check_sums(const Header& header, std::string_view bytes,
                        Check check) {
  if (check == Check::kForm) return {};
  if (crc_of(bytes) != header.crc) return bad("damaged (CRC does not match)");
  if (check == Check::kDamage) return {};
  const auto digest = digest_of(bytes);
  if (std::memcmp(digest.data(), header.digest, kDigestSize) != 0) {
    return bad("not what was written (SHA-256 does not match)");
  }
  return {};
}

base::Status check_format(const Header& header) {
  if (std::string_view(header.magic, 8) != kMagic) {
    return bad("not a llmroute model (wrong magic)");
  }
  if (header.endian != kEndianMark) {
    return bad("written on a machine of the other byte order");
  }
  if (header.version != kFormatVersion) {
    return bad(fmt::format("format version {}, this build reads version {}",
                           header.version, kFormatVersion));
  }
  return {};
}

base::Status check_sizes(const Header& header, size_t size) {
  if (header.file_size != size) {
    return bad(
        fmt::format("{} bytes, its header says {}", size, header.file_size));
  }
  if (header.heads != kHeadCount || header.dense != kDenseCount ||
      header.domains != core::kDomainCount) {
    return bad(
        fmt::format("{} heads, {} dense features, {} domains; this "
                    "build reads {}, {}, {}",
                    header.heads, header.dense, header.domains, kHeadCount,
                    kDenseCount, core::kDomainCount));
  }
  if (header.bucket_bits < 4 || header.bucket_bits > kMostBucketBits ||
      header.seen_bits < kFewestSeenBits || header.seen_bits > 26) {
    return bad(fmt::format("impossible table sizes 2^{} and 2^{}",
                           header.bucket_bits, header.seen_bits));
  }
  if (header.own_heads > kMostOwnHeads) {
    return bad(fmt::format("{} own heads, at most {}", header.own_heads,
                           kMostOwnHeads));
  }
  const size_t expected =
      sizeof(Header) + sizeof(Tables) + seen_bytes(header.seen_bits) +
      row_bytes(header.bucket_bits) + header.own_heads * sizeof(OwnHead) +
      header.trained * sizeof(uint32_t);
  if (size != expected) {
    return bad(fmt::format("{} bytes, its tables need {}", size, expected));
  }
  return {};
}

// Larger weights than this would overflow sums; none is sensible.
constexpr float kLargestWeight = 1e6F;

bool all_sensible(std::span<const float> values) {
  for (const float value : values) {
    if (!(std::fabs(value) <= kLargestWeight)) return false;  // NaN too
  }
  return true;
}

base::Status check_tables(const Header& header, const Tables& tables) {
  for (size_t h = 0; h < kHeadCount; ++h) {
    char expected[16] = {};
    std::memcpy(expected, kHeadNames[h].data(), kHeadNames[h].size());
    if (std::memcmp(expected, tables.names[h], sizeof expected) != 0) {
      return bad(fmt::format("head {} is not '{}'", h, kHeadNames[h]));
    }
  }
  if (!all_sensible(tables.scale) || !all_sensible(tables.bias) ||
      !all_sensible(tables.base) ||
      !all_sensible({&tables.dense[0][0], kDenseCount * kHeadCount})) {
    return bad("a weight is not a number up to a million");
  }
  if (!(header.slope > 0) || !(header.slope <= 100)) {
    return bad("its slope is not a number over 0 and up to 100");
  }
  if (!(header.shrink >= 0) || !(header.shrink <= 100)) {
    return bad("its shrinkage is not a number from 0 to 100");
  }
  return {};
}

base::Status check_own(std::span<const OwnHead> own) {
  for (const OwnHead& head : own) {
    if (head.model.front() == 0 || head.model.back() != 0) {
      return bad("an own head has no name");
    }
    if (!all_sensible(head.weight) || !all_sensible({&head.bias, 1})) {
      return bad("a weight is not a number up to a million");
    }
  }
  return {};
}

Model make_model(const Header& header, const Tables& tables,
                 const char* after_tables) {
  Model model;
  model.bucket_bits = header.bucket_bits;
  model.seen_bits = header.seen_bits;
  model.slope = header.slope;
  model.shrink = header.shrink;
  std::memcpy(model.gram_scale.data(), tables.scale, sizeof tables.scale);
  std::memcpy(model.bias.data(), tables.bias, sizeof tables.bias);
  std::memcpy(model.base.data(), tables.base, sizeof model.base);
  std::memcpy(model.dense.data(), tables.dense, sizeof tables.dense);
  const size_t seen = seen_bytes(header.seen_bits);
  model.seen = {reinterpret_cast<const uint8_t*>(after_tables), seen};
  model.rows = {reinterpret_cast<const GramRow*>(after_tables + seen),
                size_t{1} << header.bucket_bits};
  const char* own = after_tables + seen + row_bytes(header.bucket_bits);
  model.own = {reinterpret_cast<const OwnHead*>(own), header.own_heads};
  model.trained = {reinterpret_cast<const uint32_t*>(own + header.own_heads *
                                                               sizeof(OwnHead)),
                   header.trained};
  return model;
}

}  // namespace

base::Result<ModelFile> parse_model(std::string_view bytes, Check check) {
  Header header;
  if (bytes.size() < sizeof header + sizeof(Tables)) {
    return bad(fmt::format("only {} bytes: truncated", bytes.size()));
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  LLMROUTE_CHECK(check_format(header));
  LLMROUTE_CHECK(check_sizes(header, bytes.size()));
  LLMROUTE_CHECK(check_sums(header, bytes, check));
  const auto& tables =
      *reinterpret_cast<const Tables*>(bytes.data() + sizeof header);
  LLMROUTE_CHECK(check_tables(header, tables));
  ModelFile file;
  file.model =
      make_model(header, tables, bytes.data() + sizeof header + sizeof tables);
  LLMROUTE_CHECK(check_own(file.model.own));
  // Not at every start: it would touch pages that nothing else does.
  if (check == Check::kWhole &&
      !std::is_sorted(file.model.trained.begin(), file.model.trained.end())) {
    return bad("the prompts trained on are not in order");
  }
  file.training = {header.seed, header.rows, header.epochs};
  std::array<uint8_t, kDigestSize> digest;
  std::memcpy(digest.data(), header.digest, kDigestSize);
  file.sha256 = base::hex(digest);
  return file;
}

std::string serialize_model(const Model& model, const Training& training) {
  Header header{};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  header.endian = kEndianMark;
  header.version = kFormatVersion;
  header.heads = kHeadCount;
  header.dense = kDenseCount;
  header.domains = core::kDomainCount;
  header.bucket_bits = model.bucket_bits;
  header.seen_bits = model.seen_bits;
  header.epochs = training.epochs;
  header.seed = training.seed;
  header.rows = training.rows;
  header.own_heads = static_cast<uint32_t>(model.own.size());
  header.trained = static_cast<uint32_t>(model.trained.size());
  header.slope = model.slope;
  header.shrink = model.shrink;
  header.file_size = sizeof(Header) + sizeof(Tables) + model.seen.size() +
                     model.rows.size_bytes() + model.own.size_bytes() +
                     model.trained.size_bytes();
  Tables tables{};
  for (size_t h = 0; h < kHeadCount; ++h) {
    std::memcpy(tables.names[h], kHeadNames[h].data(), kHeadNames[h].size());
  }
  std::memcpy(tables.scale, model.gram_scale.data(), sizeof tables.scale);
  std::memcpy(tables.bias, model.bias.data(), sizeof tables.bias);
  std::memcpy(tables.base, model.base.data(), sizeof model.base);
  std::memcpy(tables.dense, model.dense.data(), sizeof tables.dense);
  std::string bytes;
  bytes.reserve(header.file_size);
  bytes.append(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char*>(&tables), sizeof tables);
  bytes.append(reinterpret_cast<const char*>(model.seen.data()),
               model.seen.size());
  bytes.append(reinterpret_cast<const char*>(model.rows.data()),
               model.rows.size_bytes());
  bytes.append(reinterpret_cast<const char*>(model.own.data()),
               model.own.size_bytes());
  bytes.append(reinterpret_cast<const char*>(model.trained.data()),
               model.trained.size_bytes());
  const auto digest = digest_of(bytes);
  std::memcpy(bytes.data() + kDigestAt, digest.data(), digest.size());
  const uint32_t crc = crc_of(bytes);
  std::memcpy(bytes.data() + kCrcAt, &crc, sizeof crc);
  return bytes;
}

namespace {

base::Status check_owner(const struct stat& info) {
  if (base::others_can_write(info)) {
    return base::Error{base::ErrorKind::kNoPermission,
                       "writable by others than its owner (chmod go-w)"};
  }
  if (!base::owner_is_safe(info)) {
    return base::Error{base::ErrorKind::kNoPermission, "owned by another user"};
  }
  return {};
}

base::Error errno_error(const char* what, int error) {
  return {error == EACCES || error == EPERM ? base::ErrorKind::kNoPermission
                                            : base::ErrorKind::kConfig,
          fmt::format("{}: {}", what, base::errno_text(error))};
}

base::Status read_exactly(int fd, std::span<char> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read", errno);
    if (got == 0) return bad("truncated while it was read");
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
  return {};
}

}  // namespace

// One large page, where the system has such, is had in a third of the time of
// many small ones.
ModelBytes::ModelBytes(size_t size) : size_(size) {
  constexpr size_t kLargePage = size_t{2} << 20;
  const size_t whole = (size / kLargePage + 1) * kLargePage;
  memory_.reset(static_cast<char*>(std::aligned_alloc(kLargePage, whole)));
  if (memory_ == nullptr) throw std::bad_alloc();
  (void)::madvise(memory_.get(), whole, MADV_HUGEPAGE);
}

base::Result<ModelBytes> ModelBytes::read(const std::string& path) {
  const base::Descriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return errno_error("cannot open", errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return errno_error("cannot stat", errno);
  if (!S_ISREG(info.st_mode)) return bad("not a regular file");
  LLMROUTE_CHECK(check_owner(info));
  const auto size = static_cast<size_t>(info.st_size);
  if (size > kLargestModelFile) {
    return bad(fmt::format("{} bytes: too large", size));
  }
  ModelBytes bytes(size);
  LLMROUTE_CHECK(read_exactly(file.get(), {bytes.memory_.get(), size}));
  return bytes;
}

}  // namespace llmroute::analyzer
