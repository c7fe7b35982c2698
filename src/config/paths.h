// XDG base directories. Empty or relative values are ignored; without HOME the
// password database is asked. Source:
// specifications.freedesktop.org/basedir-spec.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"

namespace llmroute::config {

std::string home_directory(const base::Environment& environment);
std::string user_config_file(
    const base::Environment& environment);  // .../llmroute/config.toml
std::vector<std::string> system_config_files(
    const base::Environment& environment);  // strongest first
std::string cache_directory(
    const base::Environment& environment);  // .../llmroute
std::string state_directory(const base::Environment& environment);
std::string data_directory(const base::Environment& environment);

}  // namespace llmroute::config
