#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "base/url.h"
#include "config/local_server.h"
#include "config/merge.h"
#include "config/paths.h"
#include "config/read.h"
#include "config/trusted_file.h"

namespace llmroute::config {
namespace {

// A file to read, if it is there.
struct Candidate {
  std::string path;
  Trust trust = Trust::kFile;
  bool required = false;
};

// Strongest first.
std::vector<Candidate> candidates(const Sources& sources,
                                  const base::Environment& environment) {
  if (sources.no_config) return {};
  if (sources.file) return {{*sources.file, Trust::kFile, true}};
  std::vector<Candidate> files{
      {user_config_file(environment), Trust::kDirectories}};
  for (const std::string& path : system_config_files(environment)) {
    files.push_back({path});
  }
  return files;
}

// True if the file was there.
base::Result<bool> add_file(Merger& merger, const Candidate& file,
                            const std::string& home) {
  LLMROUTE_TRY(const std::optional<TrustedFile> found,
               read_trusted(file.path, file.trust, home, kMaxFile));
  if (!found && file.required) {
    return base::Error{
        base::ErrorKind::kConfig,
        fmt::format("cannot open '{}': {}", file.path, "no such file")};
  }
  if (!found) return false;
  const Layer layer{.file = file.path,
                    .directory = base::parent_directory(file.path),
                    .home = home,
                    .secret = found->secret};
  LLMROUTE_TRY(const Node document, read_toml(found->text, file.path));
  LLMROUTE_CHECK(merger.add(document, layer));
  return true;
}

}  // namespace

base::Result<core::Config> load(const Sources& sources,
                                const base::Environment& environment) {
  Merger merger(builtin());
  const std::string home = home_directory(environment);
  std::vector<Candidate> files = candidates(sources, environment);
  std::vector<std::string> read;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    LLMROUTE_TRY(const bool found, add_file(merger, *file, home));
    if (found) read.insert(read.begin(), file->path);
  }
  const bool own_server = merger.is_set("providers.ollama.base_url");
  core::Config config;
  if (read.empty()) {
    config = builtin();  // checked when it was compiled
  } else {
    LLMROUTE_TRY(config, merger.finish());
  }
  config.files = std::move(read);
  if (!own_server) LLMROUTE_CHECK(apply_local_server(config, environment));
  return config;
}

std::vector<Place> places(const base::Environment& environment) {
  std::vector<Place> all;
  for (const Candidate& file : candidates({}, environment)) {
    all.push_back({file.path, base::file_exists(file.path)});
  }
  return all;
}

}  // namespace llmroute::config
