#include "batch/fingerprint_map.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace llmroute::batch {
namespace {

constexpr int kFirstBits = 10;
constexpr int kMostBitsInMemory = 17;
constexpr uint64_t kBlock = 32;       // slots read at once
constexpr uint64_t kMoved = 1 << 12;  // slots moved at once

}  // namespace

FingerprintMap::FingerprintMap(std::string directory)
    : directory_(std::move(directory)), bits_(kFirstBits), slots_(capacity()) {}

base::Status FingerprintMap::read(uint64_t first, std::span<Slot> slots) const {
  if (file_) {
    return file_->read(first * sizeof(Slot), std::as_writable_bytes(slots));
  }
  std::copy_n(slots_.begin() + static_cast<ptrdiff_t>(first), slots.size(),
              slots.begin());
  return {};
}

base::Status FingerprintMap::write(uint64_t first,
                                   std::span<const Slot> slots) {
  if (file_) {
    return file_->write(first * sizeof(Slot), std::as_bytes(slots));
  }
  std::ranges::copy(slots, slots_.begin() + static_cast<ptrdiff_t>(first));
  return {};
}

FingerprintMap::Slot FingerprintMap::slot_of(const base::Fingerprint& key,
                                             uint64_t value) {
  Slot slot;
  std::memcpy(slot.key.data(), key.data(), key.size());
  slot.value = value;
  if (slot.empty()) slot.key[1] = 1;
  return slot;
}

base::Result<FingerprintMap::Place> FingerprintMap::locate(
    const Slot& wanted) const {
  std::array<Slot, kBlock> block;
  for (uint64_t at = home(wanted);; at = (at | (kBlock - 1)) + 1) {
    at %= capacity();
    const std::span<Slot> rest(block.data(), kBlock - at % kBlock);
    LLMROUTE_CHECK(read(at, rest));
    for (size_t i = 0; i < rest.size(); ++i) {
      if (rest[i].empty() || rest[i].key == wanted.key) {
        return Place{at + i, rest[i]};
      }
    }
  }
}

base::Status FingerprintMap::put(const Place& place, const Slot& slot) {
  LLMROUTE_CHECK(write(place.at, std::span(&slot, 1)));
  if (place.slot.empty()) ++size_;
  return {};
}

base::Result<std::optional<uint64_t>> FingerprintMap::find(
    const base::Fingerprint& key) const {
  LLMROUTE_TRY(const Place place, locate(slot_of(key, 0)));
  return place.slot.empty() ? std::nullopt : std::optional(place.slot.value);
}

base::Result<bool> FingerprintMap::insert(const base::Fingerprint& key,
                                          uint64_t value) {
  LLMROUTE_CHECK(make_room());
  const Slot slot = slot_of(key, value);
  LLMROUTE_TRY(const Place place, locate(slot));
  if (!place.slot.empty()) return false;
  LLMROUTE_CHECK(put(place, slot));
  return true;
}

base::Status FingerprintMap::set(const base::Fingerprint& key, uint64_t value) {
  LLMROUTE_CHECK(make_room());
  const Slot slot = slot_of(key, value);
  LLMROUTE_TRY(const Place place, locate(slot));
  return put(place, slot);
}

base::Status FingerprintMap::make_room() {
  if ((size_ + 1) * 10 <= capacity() * 7) return {};
  FingerprintMap larger(directory_);
  larger.bits_ = bits_ + 1;
  larger.slots_.clear();
  if (larger.bits_ <= kMostBitsInMemory) {
    larger.slots_.resize(larger.capacity());
  } else {
    LLMROUTE_TRY(base::ScratchFile file, base::ScratchFile::create(directory_));
    larger.file_.emplace(std::move(file));
  }
  LLMROUTE_CHECK(double_to(larger));
  *this = std::move(larger);
  return {};
}

base::Status FingerprintMap::double_to(FingerprintMap& larger) const {
  std::vector<Slot> late;
  for (uint64_t first = 0; first < capacity(); first += kMoved) {
    LLMROUTE_CHECK(move_slots(first, larger, late));
  }
  for (const Slot& slot : late) {
    LLMROUTE_TRY(const Place place, larger.locate(slot));
    LLMROUTE_CHECK(larger.put(place, slot));
  }
  return {};
}

// Moves slots to the same part of a table twice as large. What does not find
// room there is added to `late`.
base::Status FingerprintMap::move_slots(uint64_t first, FingerprintMap& to,
                                        std::vector<Slot>& late) const {
  std::vector<Slot> from(std::min(kMoved, capacity() - first));
  LLMROUTE_CHECK(read(first, from));
  std::vector<Slot> part(2 * from.size());
  for (const Slot& slot : from) {
    if (slot.empty()) continue;
    // What belongs before the part wraps round to far beyond it.
    uint64_t at = to.home(slot) - 2 * first;
    while (at < part.size() && !part[at].empty()) ++at;
    if (at < part.size()) {
      part[at] = slot;
      ++to.size_;
    } else {
      late.push_back(slot);
    }
  }
  return to.write(2 * first, part);
}

}  // namespace llmroute::batch
