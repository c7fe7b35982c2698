// Fingerprint -> number, for any number of them in little memory: a table on
// disk, found again by open addressing. New keys are gathered in memory and go
// to disk many at a time, and a filter tells most of those that are not there,
// so that a key which is new costs no system call.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/sha256.h"

namespace llmroute::batch {

// One thread. The table is doubled when it is 70 % full; it is in memory up to
// 768 KiB (22,937 keys), then in a nameless file of 24 bytes a slot, made in
// `directory`, with 1.25 MiB in memory in front of it. Errors: kIo;
// kCannotCreate.
class FingerprintMap {
 public:
  explicit FingerprintMap(std::string directory);

  base::Result<std::optional<uint64_t>> find(
      const base::Fingerprint& key) const;
  // Brings near what is asked first about a key, for who has many at once.
  void expect(const base::Fingerprint& key) const;
  // Whether `key` is new; if not, its value stays.
  base::Result<bool> insert(const base::Fingerprint& key, uint64_t value);
  // Inserts or changes.
  base::Status set(const base::Fingerprint& key, uint64_t value);
  uint64_t size() const { return size_ + (recent_ ? recent_->size_ : 0); }

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
  // Bits of keys: one that lacks a bit is not among them.
  class Filter {
   public:
    Filter();
    void add(const Slot& slot);
    bool may_hold(const Slot& slot) const;
    const uint64_t* line_of(const Slot& slot) const {
      return bits_.data() + first_word(slot);
    }

   private:
    static size_t first_word(const Slot& slot);

    std::vector<uint64_t> bits_;
  };

  static Slot slot_of(const base::Fingerprint& key, uint64_t value);
  base::Result<Place> locate(const Slot& wanted) const;
  base::Result<Place> locate_in_file(const Slot& wanted) const;
  // As locate(), in the file; it is not read if the filter tells.
  base::Result<bool> is_in_file(const Slot& wanted, Place& place) const;
  base::Status put(const Place& place, const Slot& slot);
  base::Status add(const Slot& slot);
  bool has_room_for(uint64_t more) const {
    return (size_ + more) * 10 <= capacity() * 7;
  }
  base::Status make_room(uint64_t more);
  base::Status move_to_file();
  base::Status write_recent();
  base::Status write_together(std::span<const Slot> slots);
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
  uint64_t size_ = 0;  // without those of recent_
  // With a file: what is not in it yet, and what is.
  std::unique_ptr<FingerprintMap> recent_;
  std::optional<Filter> filter_;
};

}  // namespace llmroute::batch
