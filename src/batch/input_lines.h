// The lines of several inputs, in order, as one stream with a running number.
//
// Blocks are read into one buffer and lines are handed out as views into it;
// only a line that crosses the border of a block is moved. Nothing here waits:
// when there is no whole line yet, the caller polls fd().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/sha256.h"

namespace llmroute::batch {

struct InputOptions {
  char separator = '\n';  // or '\0'
  // Lines are JSON objects: an input whose first byte is '[' is refused.
  bool json = true;
  // Which lines are wanted, blank ones not counted: those from skip + 1 to
  // skip + limit of the whole input, and of these the shard-th of every
  // `shards`: the K-th, the K + N-th and so on.
  int64_t skip = 0;
  std::optional<int64_t> limit;
  int64_t shard = 1, shards = 1;  // 1 <= shard <= shards
  size_t longest_line = size_t{16} << 20;
  size_t block = size_t{64} << 10;
};

struct InputLine {
  int64_t number = 0;     // 1-based over all inputs; blank lines count
  std::string_view text;  // valid until the next call of next()
  int64_t offset = 0;     // of `text` in its input, in bytes
  bool too_long = false;  // then `text` is empty: the line was not kept
};

// Many lines as one value: inputs of which it is the same are taken for the
// same input.
class InputDigest {
 public:
  void add(int64_t number, const base::Fingerprint& text);
  std::string hex() const;  // of the lines so far

 private:
  base::Sha256 hash_;
};

// What a file is, whatever it is called.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

// One thread. Each input has one descriptor from open() until its end.
class InputLines {
 public:
  // "-" is stdin; no path at all as well. All are opened now. One that cannot
  // be opened or is a directory: kNoInput.
  static base::Result<InputLines> open(std::span<const std::string> paths,
                                       InputOptions options = {});

  enum class Next { kLine, kWait, kEnd };
  // The next wanted line, without its separator and, at LF, without a CR before
  // it. A byte-order mark at the start of an input is dropped, blank lines are
  // passed over, the last line may lack its separator. kWait: fd() is not
  // readable. A failed read: kNoInput. A JSON array: kData.
  base::Result<Next> next(InputLine& line);

  // To be polled for reading after kWait; -1 at the end.
  int fd() const;
  // Of the input being read; the last one's at the end.
  const std::string& name() const;
  // How much of all inputs was handed out, 0 to 1; nothing unless all are
  // files.
  std::optional<double> share() const;
  // Whether all inputs are files: open() with the same paths reads them again,
  // stdin from where its offset is.
  bool can_be_reread() const;
  // Of all inputs, to compare with an output's.
  const std::vector<FileIdentity>& files() const { return files_; }

 private:
  struct Input {
    std::string name;
    base::Descriptor descriptor;
    std::optional<int64_t> size;  // of a file, in bytes, when it was opened
  };
  enum class Filled { kBytes, kNothingYet, kEnd };

  explicit InputLines(const InputOptions& options) : options_(options) {}
  base::Status add(const std::string& path);
  base::Result<Next> next_raw(InputLine& line);
  base::Result<Filled> fill();
  void make_room();
  void take(size_t end, size_t next, InputLine& line);
  void move_begin(size_t to);
  void drop_byte_order_mark();
  base::Result<bool> is_wanted(InputLine& line);
  bool past_limit() const;
  base::Status check_start(std::string_view text);
  void begin_next_input();

  InputOptions options_;
  std::vector<Input> inputs_;
  std::vector<FileIdentity> files_;
  size_t current_ = 0;  // index into inputs_
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0, end_ = 0;  // bytes of buffer_ not handed out
  int64_t offset_ = 0;          // of begin_ in the input
  size_t searched_ = 0;         // no separator from begin_ up to here
  bool discarding_ = false;     // the rest of a line that is too long
  bool at_end_ = false;         // of this input; its last line is handed out
  bool first_line_ = true;      // of this input
  bool start_seen_ = false;     // a line of this input that is not blank
  int64_t number_ = 0;          // of the line handed out last
  int64_t wanted_of_ = 0;       // lines so far that are not blank
};

}  // namespace llmroute::batch
