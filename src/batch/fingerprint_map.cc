#include "batch/fingerprint_map.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace llmroute::batch {
namespace {

constexpr int kFirstBits = 10;
constexpr int kMostBitsInMemory = 15;
constexpr uint64_t kBlock = 32;       // slots read at once
constexpr uint64_t kMoved = 1 << 11;  // slots moved at once
constexpr size_t kTogether = 16;      // keys for which that many are rewritten
constexpr size_t kLineWords = 8;      // of a cache line
constexpr size_t kFilterLines = size_t{1} << 13;

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

FingerprintMap::Filter::Filter() : bits_(kFilterLines * kLineWords) {}

size_t FingerprintMap::Filter::first_word(const Slot& slot) {
  return slot.key[1] % kFilterLines * kLineWords;
}

// Two bits in one line, chosen by what does not choose the slot.
void FingerprintMap::Filter::add(const Slot& slot) {
  const uint64_t key = slot.key[1];
  uint64_t* line = bits_.data() + first_word(slot);
  line[key >> 61] |= uint64_t{1} << (key >> 55 & 63);
  line[key >> 52 & 7] |= uint64_t{1} << (key >> 46 & 63);
}

bool FingerprintMap::Filter::may_hold(const Slot& slot) const {
  const uint64_t key = slot.key[1];
  const uint64_t* line = line_of(slot);
  return (line[key >> 61] >> (key >> 55 & 63) &
          line[key >> 52 & 7] >> (key >> 46 & 63) & 1) != 0;
}

void FingerprintMap::expect(const base::Fingerprint& key) const {
  const Slot wanted = slot_of(key, 0);
  const FingerprintMap& in_memory = file_ ? *recent_ : *this;
  __builtin_prefetch(in_memory.slots_.data() + in_memory.home(wanted));
  if (file_) __builtin_prefetch(filter_->line_of(wanted));
}

base::Result<FingerprintMap::Place> FingerprintMap::locate(
    const Slot& wanted) const {
  if (file_) return locate_in_file(wanted);
  const Slot* slots = slots_.data();
  for (uint64_t at = home(wanted);; at = (at + 1) % capacity()) {
    if (slots[at].empty() || slots[at].key == wanted.key) {
      return Place{at, slots[at]};
    }
  }
}

base::Result<FingerprintMap::Place> FingerprintMap::locate_in_file(
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

base::Result<bool> FingerprintMap::is_in_file(const Slot& wanted,
                                              Place& place) const {
  if (!filter_->may_hold(wanted)) return false;
  LLMROUTE_TRY(place, locate_in_file(wanted));
  return !place.slot.empty();
}

base::Status FingerprintMap::put(const Place& place, const Slot& slot) {
  LLMROUTE_CHECK(write(place.at, std::span(&slot, 1)));
  if (place.slot.empty()) ++size_;
  return {};
}

base::Result<std::optional<uint64_t>> FingerprintMap::find(
    const base::Fingerprint& key) const {
  const Slot wanted = slot_of(key, 0);
  const FingerprintMap& in_memory = file_ ? *recent_ : *this;
  LLMROUTE_TRY(Place place, in_memory.locate(wanted));
  bool found = !place.slot.empty();
  if (!found && file_) {
    LLMROUTE_TRY(found, is_in_file(wanted, place));
  }
  return found ? std::optional(place.slot.value) : std::nullopt;
}

base::Result<bool> FingerprintMap::insert(const base::Fingerprint& key,
                                          uint64_t value) {
  LLMROUTE_TRY(const auto known, find(key));
  if (known) return false;
  LLMROUTE_CHECK(add(slot_of(key, value)));
  return true;
}

base::Status FingerprintMap::set(const base::Fingerprint& key, uint64_t value) {
  const Slot slot = slot_of(key, value);
  FingerprintMap& in_memory = file_ ? *recent_ : *this;
  LLMROUTE_TRY(Place place, in_memory.locate(slot));
  if (!place.slot.empty()) return in_memory.put(place, slot);
  if (file_) {
    LLMROUTE_TRY(const bool found, is_in_file(slot, place));
    if (found) return put(place, slot);
  }
  return add(slot);
}

// A key that is not there.
base::Status FingerprintMap::add(const Slot& slot) {
  if (!file_) LLMROUTE_CHECK(make_room(1));
  if (file_ && !recent_->has_room_for(1)) LLMROUTE_CHECK(write_recent());
  FingerprintMap& in_memory = file_ ? *recent_ : *this;
  LLMROUTE_TRY(const Place place, in_memory.locate(slot));
  return in_memory.put(place, slot);
}

base::Status FingerprintMap::make_room(uint64_t more) {
  while (!has_room_for(more)) {
    if (!file_ && bits_ == kMostBitsInMemory) return move_to_file();
    FingerprintMap larger(directory_);
    larger.bits_ = bits_ + 1;
    larger.slots_.clear();
    if (file_) {
      LLMROUTE_TRY(larger.file_, base::ScratchFile::create(directory_));
    } else {
      larger.slots_.resize(larger.capacity());
    }
    LLMROUTE_CHECK(double_to(larger));
    bits_ = larger.bits_;
    slots_ = std::move(larger.slots_);
    file_ = std::move(larger.file_);
  }
  return {};
}

// What was the table becomes what is not in the file yet.
base::Status FingerprintMap::move_to_file() {
  FingerprintMap larger(directory_);
  larger.slots_ = {};
  LLMROUTE_TRY(larger.file_, base::ScratchFile::create(directory_));
  larger.bits_ = bits_ + 1;
  larger.filter_.emplace();
  larger.recent_ = std::make_unique<FingerprintMap>(std::move(*this));
  *this = std::move(larger);
  return {};
}

// Those that belong to one part of the file follow one another, but for what
// collisions have moved.
base::Status FingerprintMap::write_recent() {
  LLMROUTE_CHECK(make_room(recent_->size_));
  const std::span<Slot> slots = recent_->slots_;
  std::vector<Slot> of_part;
  const auto write_part = [&]() -> base::Status {
    if (of_part.size() >= kTogether) return write_together(of_part);
    for (const Slot& slot : of_part) {
      LLMROUTE_TRY(const Place place, locate_in_file(slot));
      LLMROUTE_CHECK(put(place, slot));
    }
    return {};
  };
  for (const Slot& slot : slots) {
    if (slot.empty()) continue;
    filter_->add(slot);
    if (!of_part.empty() &&
        home(of_part.back()) / kMoved != home(slot) / kMoved) {
      LLMROUTE_CHECK(write_part());
      of_part.clear();
    }
    of_part.push_back(slot);
  }
  LLMROUTE_CHECK(write_part());
  std::fill(slots.begin(), slots.end(), Slot());
  recent_->size_ = 0;
  return {};
}

// Slots of one part, by reading and writing all of it.
base::Status FingerprintMap::write_together(std::span<const Slot> slots) {
  const uint64_t first = home(slots.front()) / kMoved * kMoved;
  std::vector<Slot> part(std::min(kMoved, capacity()));
  LLMROUTE_CHECK(read(first, part));
  std::vector<Slot> late;
  for (const Slot& slot : slots) {
    uint64_t at = home(slot) - first;
    while (at < part.size() && !part[at].empty()) ++at;
    if (at < part.size()) {
      part[at] = slot;
      ++size_;
    } else {
      late.push_back(slot);
    }
  }
  LLMROUTE_CHECK(write(first, part));
  for (const Slot& slot : late) {
    LLMROUTE_TRY(const Place place, locate_in_file(slot));
    LLMROUTE_CHECK(put(place, slot));
  }
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
