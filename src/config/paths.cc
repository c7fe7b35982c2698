#include "config/paths.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "base/text.h"

namespace llmroute::config {
namespace {

// The variable if it holds an absolute path.
std::string absolute(const base::Environment& environment,
                     const std::string& name) {
  const std::string value = environment.get(name).value_or("");
  return value.starts_with('/') ? value : std::string();
}

std::string home_from_password_database() {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr && found->pw_dir != nullptr ? found->pw_dir : "";
}

std::string user_directory(const base::Environment& environment,
                           const std::string& variable,
                           std::string_view below_home) {
  std::string base = absolute(environment, variable);
  if (base.empty())
    base = home_directory(environment) + std::string(below_home);
  return base + "/llmroute";
}

}  // namespace

std::string home_directory(const base::Environment& environment) {
  const std::string home = absolute(environment, "HOME");
  return home.empty() ? home_from_password_database() : home;
}

std::string user_config_file(const base::Environment& environment) {
  return user_directory(environment, "XDG_CONFIG_HOME", "/.config") +
         "/config.toml";
}

std::vector<std::string> system_config_files(
    const base::Environment& environment) {
  const std::string list =
      environment.get("XDG_CONFIG_DIRS").value_or("/etc/xdg");
  std::vector<std::string> files;
  for (const std::string& directory : base::split(list, ':')) {
    if (directory.starts_with('/')) {
      files.push_back(directory + "/llmroute/config.toml");
    }
  }
  return files;
}

std::string cache_directory(const base::Environment& environment) {
  return user_directory(environment, "XDG_CACHE_HOME", "/.cache");
}

std::string state_directory(const base::Environment& environment) {
  return user_directory(environment, "XDG_STATE_HOME", "/.local/state");
}

std::string data_directory(const base::Environment& environment) {
  return user_directory(environment, "XDG_DATA_HOME", "/.local/share");
}

}  // namespace llmroute::config
