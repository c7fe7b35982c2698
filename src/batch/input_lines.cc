#include "batch/input_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace llmroute::batch {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kKeptBlocks = 4;

Error cannot(const char* what, const std::string& name, int error) {
  const bool ours = error == EMFILE || error == ENFILE;
  return {
      ours ? ErrorKind::kOs : ErrorKind::kNoInput,
      fmt::format("cannot {} '{}': {}", what, name, base::errno_text(error))};
}

bool is_readable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

void InputDigest::add(int64_t number, const base::Fingerprint& text) {
  hash_.update(fmt::format("{} {}\n", number, base::hex(text)));
}

std::string InputDigest::hex() const {
  base::Sha256 so_far = hash_;
  return base::hex(so_far.finish());
}

base::Result<InputLines> InputLines::open(std::span<const std::string> paths,
                                          InputOptions options) {
  InputLines lines(options);
  for (const std::string& path : paths) LLMROUTE_CHECK(lines.add(path));
  if (paths.empty()) LLMROUTE_CHECK(lines.add("-"));
  return lines;
}

base::Status InputLines::add(const std::string& path) {
  const bool is_stdin = path == "-";
  Input input{is_stdin ? "stdin" : path, {}, {}};
  input.descriptor = base::Descriptor(
      is_stdin ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
               : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat info {};
  if (!input.descriptor.valid() ||
      ::fstat(input.descriptor.get(), &info) != 0) {
    return cannot("open", input.name, errno);
  }
  if (S_ISDIR(info.st_mode)) return cannot("read", input.name, EISDIR);
  if (S_ISREG(info.st_mode)) input.size = info.st_size;
  files_.push_back({info.st_dev, info.st_ino});
  inputs_.push_back(std::move(input));
  return {};
}

int InputLines::fd() const {
  return current_ < inputs_.size() ? inputs_[current_].descriptor.get() : -1;
}

const std::string& InputLines::name() const {
  return inputs_[std::min(current_, inputs_.size() - 1)].name;
}

std::optional<double> InputLines::share() const {
  int64_t all = 0, taken = offset_;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const std::optional<int64_t>& size = inputs_[i].size;
    if (!size) return std::nullopt;
    all += *size;
    if (i < current_) taken += *size;
  }
  if (all == 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(taken) / static_cast<double>(all));
}

bool InputLines::can_be_reread() const {
  return std::ranges::all_of(
      inputs_, [](const Input& input) { return input.size.has_value(); });
}

bool InputLines::past_limit() const {
  return options_.limit && wanted_of_ >= options_.skip &&
         wanted_of_ - options_.skip >= *options_.limit;
}

base::Result<InputLines::Next> InputLines::next(InputLine& line) {
  for (;;) {
    if (past_limit()) return Next::kEnd;
    LLMROUTE_TRY(const Next found, next_raw(line));
    if (found != Next::kLine) return found;
    line.number = ++number_;
    LLMROUTE_TRY(const bool wanted, is_wanted(line));
    if (wanted) return Next::kLine;
  }
}

base::Result<bool> InputLines::is_wanted(InputLine& line) {
  const bool blank = !line.too_long && base::trim(line.text).empty();
  if (blank) return false;
  if (!line.too_long) LLMROUTE_CHECK(check_start(line.text));
  ++wanted_of_;
  return wanted_of_ > options_.skip &&
         (wanted_of_ - options_.skip - 1) % options_.shards ==
             options_.shard - 1;
}

// Of the first line of an input that is not blank.
base::Status InputLines::check_start(std::string_view text) {
  if (start_seen_) return {};
  start_seen_ = true;
  if (!options_.json || !base::trim(text).starts_with('[')) return {};
  return Error{ErrorKind::kData,
               fmt::format("'{}' is a JSON array, not one object a line "
                           "(jq -c '.[]' makes lines of it)",
                           name())};
}

void InputLines::move_begin(size_t to) {
  offset_ += static_cast<int64_t>(to - begin_);
  begin_ = to;
}

void InputLines::drop_byte_order_mark() {
  if (!first_line_ || !std::string_view(buffer_.get() + begin_, end_ - begin_)
                           .starts_with(kByteOrderMark)) {
    return;
  }
  first_line_ = false;
  move_begin(begin_ + kByteOrderMark.size());
  searched_ = std::max(searched_, begin_);
}

// The line ends at `end`, the next one begins at `next`.
void InputLines::take(size_t end, size_t next, InputLine& line) {
  first_line_ = false;
  line.text = std::string_view(buffer_.get() + begin_, end - begin_);
  line.offset = offset_;
  move_begin(next);
  searched_ = next;
  if (options_.separator == '\n' && line.text.ends_with('\r')) {
    line.text.remove_suffix(1);
  }
}

base::Result<InputLines::Next> InputLines::next_raw(InputLine& line) {
  line = {};
  for (;;) {
    if (std::exchange(at_end_, false)) begin_next_input();
    if (current_ == inputs_.size()) return Next::kEnd;
    drop_byte_order_mark();
    const char* from = buffer_.get() + searched_;
    const void* found = end_ > searched_ ? std::memchr(from, options_.separator,
                                                       end_ - searched_)
                                         : nullptr;
    searched_ = found == nullptr
                    ? end_
                    : static_cast<size_t>(static_cast<const char*>(found) -
                                          buffer_.get());
    if (!discarding_ && searched_ - begin_ > options_.longest_line) {
      take(searched_, searched_, line);
      LLMROUTE_CHECK(check_start(line.text));
      discarding_ = true;
    }
    if (discarding_) move_begin(searched_);
    bool whole = found != nullptr;
    if (!whole) {
      LLMROUTE_TRY(const Filled filled, fill());
      if (filled == Filled::kNothingYet) return Next::kWait;
      if (filled == Filled::kBytes) continue;
      whole = discarding_ || end_ > begin_;
    }
    if (whole) {
      take(searched_, std::min(searched_ + 1, end_), line);
      line.too_long = std::exchange(discarding_, false);
    }
    at_end_ = found == nullptr;
    if (whole) return Next::kLine;
  }
}

void InputLines::begin_next_input() {
  inputs_[current_++].descriptor.reset();
  begin_ = end_ = searched_ = 0;
  offset_ = 0;
  first_line_ = true;
  start_seen_ = false;
}

// Moves what is pending to the front of a buffer with room for a block.
void InputLines::make_room() {
  const size_t pending = end_ - begin_;
  const bool too_large =
      pending == 0 && capacity_ > kKeptBlocks * options_.block;
  if (capacity_ < pending + options_.block || too_large) {
    capacity_ = 2 * (pending + options_.block);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
    std::copy_n(buffer_.get() + begin_, pending, larger.get());
    buffer_ = std::move(larger);
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, pending);
  }
  searched_ -= begin_;
  begin_ = 0;
  end_ = pending;
}

base::Result<InputLines::Filled> InputLines::fill() {
  if (!is_readable(fd())) return Filled::kNothingYet;
  make_room();
  const ssize_t got = ::read(fd(), buffer_.get() + end_,
                             std::min(capacity_ - end_, options_.block));
  if (got > 0) {
    end_ += static_cast<size_t>(got);
    return Filled::kBytes;
  }
  if (got == 0) return Filled::kEnd;
  if (errno == EAGAIN || errno == EINTR) return Filled::kNothingYet;
  return cannot("read", name(), errno);
}

}  // namespace llmroute::batch
