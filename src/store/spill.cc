#include "store/spill.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/files.h"
#include "base/json_writer.h"
#include "base/ownership.h"
#include "base/sha256.h"
#include "base/text.h"
#include "store/columns.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;

constexpr size_t kMostBytes = size_t{64} << 20;  // more is not kept

// Nobody else's file, and none that others can write.
base::Descriptor open_spill(const std::string& path, int flags) {
  base::Descriptor file(::open((path + ".spill").c_str(),
                               flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                               0600));
  struct stat info {};
  const bool ours = file.valid() && ::fstat(file.get(), &info) == 0 &&
                    info.st_uid == ::geteuid() && !base::others_can_write(info);
  if (file.valid() && !ours) errno = EPERM;
  return ours ? std::move(file) : base::Descriptor();
}

std::string hex_of(const Blob& blob) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(blob.bytes.data());
  return base::hex({bytes, blob.bytes.size()});
}

std::string line_of(const Recorded& recorded) {
  base::JsonWriter json;
  const auto field = [&](const char* name, const auto& value) {
    if constexpr (std::is_same_v<decltype(value), const Bytes&>) {
      json.field(name, value ? std::optional(hex_of(*value)) : std::nullopt);
    } else {
      json.field(name, value);
    }
  };
  json.begin_object().key("decision").begin_object();
  each_decision_column(recorded.decision, field);
  json.end_object().key("attempts").begin_array();
  for (const AttemptRow& attempt : recorded.attempts) {
    json.begin_object();
    each_attempt_column(attempt, field);
    json.end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string bytes;
  for (; text.size() > 1; text.remove_prefix(2)) {
    uint8_t byte = 0;
    const char* end = text.data() + 2;
    if (std::from_chars(text.data(), end, byte, 16).ptr != end) break;
    bytes += static_cast<char>(byte);
  }
  return text.empty() ? std::optional(bytes) : std::nullopt;
}

// Money counts also where what it takes to decide again is no hexadecimal.
struct FromHex {
  void operator()(const char*, Bytes& value) {
    if (!value) return;
    const auto bytes = from_hex(value->bytes);
    bytes ? (void)(value->bytes = *bytes) : value.reset();
  }
  void operator()(const char*, const auto&) {}
};

// SELECT of the members of one JSON object.
std::string members(const std::string& from, auto each, auto row) {
  std::string list;
  each(row, [&](const char* name, const auto&) {
    if (!list.empty()) list += ',';
    list += "json_extract(value,'$." + std::string(name) + "')";
  });
  return "SELECT " + list + " FROM " + from;
}

constexpr auto kDecisionColumns = [](auto& row, auto&& visit) {
  each_decision_column(row, visit);
};
constexpr auto kAttemptColumns = [](auto& row, auto&& visit) {
  each_attempt_column(row, visit);
};

// Whether a line has the form of one: what cannot be read of it then is no
// fault of its own.
Result<bool> is_whole(Database& database, const std::string& line) {
  LLMROUTE_TRY(
      Statement check,
      database.prepare(
          "SELECT CASE WHEN json_valid(?1) THEN"
          " json_type(?1,'$.decision') IS 'object' AND NOT EXISTS"
          " (SELECT 1 FROM json_each(?1,'$.attempts') WHERE type<>'object')"
          " ELSE 0 END"));
  LLMROUTE_TRY(const bool found, check.bind(0, line).step());
  return found && check.integer(0) != 0;
}

Status read_line(Database& database, const std::string& line,
                 DecisionRow& decision, std::vector<AttemptRow>& attempts) {
  static const std::string one =
      members("(SELECT json_extract(?,'$.decision') AS value)",
              kDecisionColumns, DecisionRow());
  static const std::string many =
      members("json_each(?,'$.attempts')", kAttemptColumns, AttemptRow());
  LLMROUTE_TRY(Statement first, database.prepare(one));
  LLMROUTE_TRY(const bool found, first.bind(0, line).step());
  if (found) {
    each_decision_column(decision, Reader(first));
    each_decision_column(decision, FromHex());
  }
  LLMROUTE_TRY(Statement rest, database.prepare(many));
  rest.bind(0, line);
  for (;;) {
    LLMROUTE_TRY(const bool more, rest.step());
    if (!more) return {};
    each_attempt_column(attempts.emplace_back(), Reader(rest));
  }
}

bool makes_sense(const DecisionRow& decision,
                 const std::vector<AttemptRow>& attempts) {
  for (const AttemptRow& attempt : attempts) {
    if (attempt.state != "answered" && attempt.state != "failed") return false;
    if (attempt.charged_pico < 0) return false;
  }
  return decision.id.size() == 26 && decision.tags.starts_with('{');
}

// False: a write was cut, by a full disk or a crash.
bool ends_in_a_line(int file) {
  struct stat info {};
  char last = '\n';
  return ::fstat(file, &info) != 0 || info.st_size == 0 ||
         ::pread(file, &last, 1, info.st_size - 1) != 1 || last == '\n';
}

// Whether the line made sense; then it is in the ledger now.
Result<bool> import_line(Ledger& ledger, const std::string& line) {
  Database& database = ledger.database();
  LLMROUTE_TRY(const bool whole, is_whole(database, line));
  if (!whole) return false;
  DecisionRow decision;
  std::vector<AttemptRow> attempts;
  LLMROUTE_CHECK(read_line(database, line, decision, attempts));
  if (!makes_sense(decision, attempts)) return false;
  LLMROUTE_CHECK(database.execute("SAVEPOINT line"));
  const Status done = ledger.record_late(decision, attempts);
  if (!done && done.error().kind != base::ErrorKind::kData) return done.error();
  if (!done) LLMROUTE_CHECK(database.execute("ROLLBACK TO line"));
  LLMROUTE_CHECK(database.execute("RELEASE line"));
  return done.has_value();
}

// All lines in one transaction: how many made no sense.
Result<size_t> import_lines(Ledger& ledger, const std::string& text) {
  size_t dropped = 0;
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(ledger.database()));
  for (const std::string& line : base::split(text, '\n')) {
    if (line.empty()) continue;
    LLMROUTE_TRY(bool taken, import_line(ledger, line));
    if (!taken) {  // as SQLite also says where it had no memory for a moment
      LLMROUTE_TRY(taken, import_line(ledger, line));
    }
    if (!taken) ++dropped;
  }
  LLMROUTE_CHECK(transaction.commit());
  return dropped;
}

}  // namespace

Status spill(const std::string& path, std::span<const Recorded> all) {
  const base::Descriptor out = open_spill(path, O_RDWR | O_APPEND | O_CREAT);
  std::string lines = ends_in_a_line(out.get()) ? "" : "\n";
  for (const Recorded& one : all) lines += line_of(one);
  if (!out.valid() || ::flock(out.get(), LOCK_SH) != 0 ||
      ::fchmod(out.get(), 0600) != 0) {
    return base::io_error(base::ErrorKind::kIo, "cannot write",
                          path + ".spill");
  }
  struct stat info {};
  if (::fstat(out.get(), &info) != 0 ||
      static_cast<size_t>(info.st_size) + lines.size() > kMostBytes) {
    return base::Error{base::ErrorKind::kIo, path + ".spill is full"};
  }
  errno = base::write_all(out.get(), lines);
  if (errno != 0 || ::fsync(out.get()) != 0) {
    return base::io_error(base::ErrorKind::kIo, "cannot write",
                          path + ".spill");
  }
  return {};
}

int64_t spilled_bytes(const std::string& path) {
  struct stat info {};
  return ::stat((path + ".spill").c_str(), &info) == 0 ? info.st_size : 0;
}

Result<size_t> import_spilled(Ledger& ledger) {
  const std::string& path = ledger.database().path();
  const base::Descriptor file = open_spill(path, O_RDWR);
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0 || info.st_size == 0 ||
      !S_ISREG(info.st_mode) || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return size_t{0};
  }
  LLMROUTE_TRY(const std::string text,
               base::read_all(file.get(), SIZE_MAX, path + ".spill"));
  // A power cut must not take the rows from both places.
  Database& database = ledger.database();
  const Durability before = database.durability();
  LLMROUTE_CHECK(database.set_durability(Durability::kFull));
  const auto dropped = import_lines(ledger, text);
  LLMROUTE_CHECK(database.set_durability(before));
  if (!dropped) return dropped.error();
  if (::ftruncate(file.get(), 0) != 0) {
    return base::io_error(base::ErrorKind::kIo, "cannot empty",
                          path + ".spill");
  }
  return dropped;
}

}  // namespace llmroute::store
