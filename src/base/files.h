// Files: owned descriptors, bounded reading, whole writing, replacement by
// rename, scratch space.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace llmroute::base {

// Owns a file descriptor; closes it once.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// Text of errno, e.g. "No space left on device".
std::string errno_text(int error);

// "<what> '<path>': <text of the current errno>".
Error io_error(ErrorKind kind, const std::string& what,
               const std::string& path);

// Reads to end of file, waiting where a read would not. More than `limit`
// bytes: kData.
Result<std::string> read_all(int fd, size_t limit, const std::string& name);

// Opens and reads a regular file or a pipe. Cannot be opened: kNoInput. Over
// `limit`: kData.
Result<std::string> read_file(const std::string& path, size_t limit);

// Writes every byte (short writes, EINTR and EAGAIN are handled by waiting). On
// failure the errno, else 0. Returns early with EINTR if `*stop` becomes true
// (may be null).
int write_all(int fd, std::string_view bytes,
              const std::atomic<bool>* stop = nullptr);

// Fills `bytes` from `offset` on and returns how many there were before the end
// of the file; nothing on failure (errno).
std::optional<size_t> read_at(int fd, uint64_t offset,
                              std::span<std::byte> bytes);

// A file that will take the place of `path`: a temporary beside it, renamed
// over it when it is whole. Until then the old file stays as it is. Its mode
// stays, a link keeps pointing where it did, FIFOs and devices are written
// directly. One thread.
class ReplacementFile {
 public:
  // Creates the temporary. Not possible, or `path` is a directory:
  // kCannotCreate. With a `suffix` the temporary is `path` + `suffix` and stays
  // if it is not committed; one that is there already is removed, but a link
  // there is refused. Else it has a name of its own and goes away.
  static Result<ReplacementFile> create(const std::string& path,
                                        unsigned mode = 0666,
                                        const std::string& suffix = "");
  ReplacementFile(ReplacementFile&& other) noexcept = default;
  ReplacementFile& operator=(ReplacementFile&&) = delete;
  ~ReplacementFile();

  int fd() const { return out_.get(); }
  const std::string& target() const { return path_; }  // links resolved
  const std::string& temporary() const { return temporary_; }
  // Whether there is no temporary: a FIFO or a device.
  bool in_place() const { return temporary_.empty(); }

  // Failed: kIo.
  Status write(std::string_view bytes);
  // Syncs, renames and syncs the directory. Failed: kIo; a temporary that is
  // whole but cannot be renamed is kept and named.
  Status commit();
  Status commit(std::string_view bytes);  // writes them first
  // The same, but the file stays open: its descriptor.
  Result<Descriptor> commit_open();

 private:
  ReplacementFile(std::string path, std::string temporary, Descriptor out);
  Status sync();
  Status rename();
  Error kept() const;

  std::string path_;
  std::string temporary_;  // empty: written in place
  Descriptor out_;
  bool keep_ = false;
};

// Creates and commits a ReplacementFile. INT, TERM and HUP come after that, to
// whichever thread, so that they leave no temporary. One at a time.
Status replace_file(const std::string& path, std::string_view bytes,
                    unsigned mode = 0666);

// Nameless scratch space on disk. One thread.
class ScratchFile {
 public:
  // In `directory`, where it takes no name. Not possible: kCannotCreate.
  static Result<ScratchFile> create(const std::string& directory);

  // What was never written reads as zeros. Failed: kIo.
  Status read(uint64_t offset, std::span<std::byte> bytes) const;
  Status write(uint64_t offset, std::span<const std::byte> bytes);

 private:
  ScratchFile(std::string directory, Descriptor file)
      : directory_(std::move(directory)), file_(std::move(file)) {}

  std::string directory_;
  Descriptor file_;
};

bool file_exists(const std::string& path);
// Something that is not there is none.
bool is_pipe(const std::string& path);

// Whether both are there and are one file, under whatever names.
bool same_file(const std::string& a, const std::string& b);

// Makes the names in the directory of `path` durable. Failed: kIo.
Status sync_directory_of(const std::string& path);

// Creates a directory and its parents with mode 0700 where missing.
Status create_directories(const std::string& path);

std::string parent_directory(const std::string& path);
std::string base_name(const std::string& path);

}  // namespace llmroute::base
