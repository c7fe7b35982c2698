#include "base/paths.h"

#include <cstdlib>
#include <memory>

#include "base/files.h"

namespace llmroute::base {

std::string resolve_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

std::string one_name(const std::string& path) {
  if (file_exists(path)) return resolve_links(path);
  return resolve_links(parent_directory(path)) + "/" + base_name(path);
}

}  // namespace llmroute::base
