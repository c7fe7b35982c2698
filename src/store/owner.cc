#include "store/owner.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace llmroute::store {
namespace {

constexpr size_t kMostBytes = 65536;

std::string boot() {
  const auto text =
      base::read_file("/proc/sys/kernel/random/boot_id", kMostBytes);
  return text ? std::string(base::trim(*text)) : std::string();
}

// Fields after the command, which stands in parentheses and may hold anything.
std::string start_time(int64_t process) {
  const auto text =
      base::read_file(fmt::format("/proc/{}/stat", process), kMostBytes);
  if (!text) return {};
  const size_t end = text->rfind(')');
  if (end == std::string::npos || end + 2 > text->size()) return {};
  const std::vector<std::string> fields =
      base::split(std::string_view(*text).substr(end + 2), ' ');
  constexpr size_t kStartTime = 22 - 3;
  return fields.size() > kStartTime ? fields[kStartTime] : std::string();
}

std::string describe(int64_t process) {
  return fmt::format("{}/{}/{}", boot(), process, start_time(process));
}

}  // namespace

std::string this_process() { return describe(::getpid()); }

bool may_be_alive(const std::string& owner) {
  const std::vector<std::string> parts = base::split(owner, '/');
  const auto process =
      parts.size() == 3 ? base::parse_int(parts[1]) : std::nullopt;
  if (!process || *process <= 0 || *process > INT32_MAX) return false;
  if (::kill(static_cast<pid_t>(*process), 0) != 0 && errno == ESRCH) {
    return false;
  }
  return describe(*process) == owner;
}

}  // namespace llmroute::store
