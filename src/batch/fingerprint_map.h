// Fingerprint -> number, for any number of them in little memory: a table on
// disk, found again by open addressing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/sha256.h"

namespace llmroute::batch {

// One thread. The table is doubled when it is 70 % full; it is in memory up to
// 3 MiB (91,750 keys), then in a nameless file of 24 bytes a slot, made in
// `directory`. Errors: kIo; kCannotCreate.
class FingerprintMap {
 public:
  explicit FingerprintMap(std::string directory);

  base::Result<std::optional<uint64_t>> find(
      const base::Fingerprint& key) const;
  // Whether `key` is new; if not, its value stays.
  base::Result<bool> insert(const base::Fingerprint& key, uint64_t value);
  // Inserts or changes.
  base::Status set(const base::Fingerprint& key, uint64_t value);
  uint64_t size() const { return size_; }

 private:
  struct Slot {
    std::array<uint64_t, 2> key{};  // of zeros: empty
    uint64_t value = 0;

    bool empty() const { return key[0] == 0 && key[1] == 0; }
  };
  struct Place {
    uint64_t at = 0;
    Slot slot;  // what is there: the key, or nothing
  };

  static Slot slot_of(const base::Fingerprint& key, uint64_t value);
  base::Result<Place> locate(const Slot& wanted) const;
  base::Status put(const Place& place, const Slot& slot);
  base::Status make_room();
  base::Status double_to(FingerprintMap& larger) const;
  base::Status move_slots(uint64_t first, FingerprintMap& to,
                          std::vector<Slot>& late) const;
  base::Status read(uint64_t first, std::span<Slot> slots) const;
  base::Status write(uint64_t first, std::span<const Slot> slots);
  uint64_t capacity() const { return uint64_t{1} << bits_; }
  // Slots are in the order of keys but for collisions, so doubling goes through
  // both tables from end to end.
  uint64_t home(const Slot& slot) const { return slot.key[0] >> (64 - bits_); }

  std::string directory_;
  int bits_;                 // of the number of slots
  std::vector<Slot> slots_;  // while they are in memory
  std::optional<base::ScratchFile> file_;
  uint64_t size_ = 0;
};

}  // namespace llmroute::batch
