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

struct Document {
  Layer layer;
  Node tree;
};

base::Result<std::optional<Document>> read_file(const Candidate& file,
                                                const std::string& home) {
  LLMROUTE_TRY(const std::optional<TrustedFile> found,
               read_trusted(file.path, file.trust, home, kMaxFile));
  if (!found && file.required) {
    return base::Error{
        base::ErrorKind::kConfig,
        fmt::format("cannot open '{}': no such file", file.path)};
  }
  if (!found) return std::optional<Document>();
  Document document;
  document.layer = {file.path, base::parent_directory(file.path), home,
                    found->secret};
  LLMROUTE_TRY(document.tree, read_toml(found->text, file.path));
  return std::optional(std::move(document));
}

// Those that exist, strongest first.
base::Result<std::vector<Document>> read_files(
    const Sources& sources, const base::Environment& environment) {
  const std::string home = home_directory(environment);
  std::vector<Document> documents;
  for (const Candidate& file : candidates(sources, environment)) {
    LLMROUTE_TRY(std::optional<Document> document, read_file(file, home));
    if (document) documents.push_back(std::move(*document));
  }
  return documents;
}

}  // namespace

base::Result<core::Config> load(const Sources& sources,
                                const base::Environment& environment) {
  LLMROUTE_TRY(const std::vector<Document> documents,
               read_files(sources, environment));
  core::Config config = builtin();  // checked when it was compiled
  bool own_server = false;
  if (!documents.empty()) {
    Merger merger(std::move(config));
    for (auto next = documents.rbegin(); next != documents.rend(); ++next) {
      LLMROUTE_CHECK(merger.add(next->tree, next->layer));
    }
    own_server = merger.is_set("providers.ollama.base_url");
    LLMROUTE_TRY(config, merger.finish());
  }
  for (const Document& document : documents) {
    config.files.push_back(document.layer.file);
  }
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
