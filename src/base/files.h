// Files: owned descriptors, bounded reading, whole writing, replacement by
// rename.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
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

// Reads to end of file. More than `limit` bytes: kData. EINTR is retried unless
// `stop` says otherwise.
Result<std::string> read_all(int fd, size_t limit, const std::string& name);

// Opens and reads a regular file or a pipe. Cannot be opened: kNoInput. Over
// `limit`: kData.
Result<std::string> read_file(const std::string& path, size_t limit);

// Writes every byte (short writes, EINTR and EAGAIN are handled by waiting). On
// failure the errno, else 0. Returns early with EINTR if `*stop` becomes true
// (may be null).
int write_all(int fd, std::string_view bytes,
              const std::atomic<bool>* stop = nullptr);

// A file that will take the place of `path`: a temporary beside it, renamed
// over it when it is whole. Until then the old file stays as it is. Its mode
// stays, a link keeps pointing where it did, FIFOs and devices are written
// directly. One thread.
class ReplacementFile {
 public:
  // Creates the temporary. Not possible, or `path` is a directory:
  // kCannotCreate.
  static Result<ReplacementFile> create(const std::string& path,
                                        unsigned mode = 0666);
  ReplacementFile(ReplacementFile&& other) noexcept = default;
  ReplacementFile& operator=(ReplacementFile&&) = delete;
  // Removes the temporary if it was not committed.
  ~ReplacementFile();

  // Writes all of it, syncs and renames. Failed: kIo; a temporary that is whole
  // but cannot be renamed is kept and named.
  Status commit(std::string_view bytes);

 private:
  ReplacementFile(std::string path, std::string temporary, Descriptor out);
  std::string path_;       // links resolved
  std::string temporary_;  // empty: written in place
  Descriptor out_;
};

// Creates and commits a ReplacementFile.
Status replace_file(const std::string& path, std::string_view bytes,
                    unsigned mode = 0666);

bool file_exists(const std::string& path);

// Creates a directory and its parents with mode 0700 where missing.
Status create_directories(const std::string& path);

std::string parent_directory(const std::string& path);
std::string base_name(const std::string& path);

}  // namespace llmroute::base
