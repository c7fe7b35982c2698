#include "analyzer/analyzer.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "analyzer/features.h"
#include "analyzer/heads.h"
#include "analyzer/language.h"
#include "analyzer/model_file.h"
#include "base/files.h"

namespace llmroute::analyzer {

struct Analyzer::Impl {
  std::vector<char> bytes;  // of a model that was loaded; owns what file views
  ModelFile file;
  std::string id;
};

Analyzer::Analyzer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Analyzer::Analyzer(Analyzer&&) noexcept = default;
Analyzer& Analyzer::operator=(Analyzer&&) noexcept = default;
Analyzer::~Analyzer() = default;

Analyzer Analyzer::embedded() {
  auto file = parse_model(embedded_model(), Checksum::kTrust);
  if (!file) std::abort();  // a unit test checks the file that is built in
  auto impl = std::make_unique<Impl>();
  impl->file = *std::move(file);
  impl->id = "builtin-1";
  return Analyzer(std::move(impl));
}

base::Result<Analyzer> Analyzer::load(const std::string& path) {
  const std::string place = "router model '" + path + "'";
  auto bytes = read_model_file(path);
  if (!bytes) return with_context(place, std::move(bytes).error());
  auto impl = std::make_unique<Impl>();
  impl->bytes = *std::move(bytes);
  auto file =
      parse_model({impl->bytes.data(), impl->bytes.size()}, Checksum::kVerify);
  if (!file) return with_context(place, std::move(file).error());
  impl->file = *std::move(file);
  impl->id = base::base_name(path);
  return Analyzer(std::move(impl));
}

bool Analyzer::trained_on(uint32_t fingerprint) const {
  const std::span<const uint32_t> trained = impl_->file.model.trained;
  return std::binary_search(trained.begin(), trained.end(), fingerprint);
}

std::string Analyzer::id() const { return impl_->id; }
std::string Analyzer::sha256() const { return impl_->file.sha256; }

namespace {

TextSizes sizes_of(const Input& input, const Window& window) {
  return {input.instruction.size() + input.context.size(), input.context.size(),
          window.bytes};
}

}  // namespace

core::Analysis Analyzer::analyze(const Input& input) const {
  const Window window = choose_window(input.instruction, input.context);
  Surface surface;
  const Evidence evidence =
      gather(impl_->file.model, window, sizes_of(input, window), surface);
  core::Analysis analysis = judge(impl_->file.model, evidence);
  analysis.language = language_of(surface);
  analysis.bytes =
      static_cast<int64_t>(input.instruction.size() + input.context.size());
  analysis.bytes_read = static_cast<int64_t>(window.bytes);
  return analysis;
}

namespace {

// What one unit of a head's score adds to the number explained.
struct Share {
  std::string name;
  std::array<double, kHeadCount> of_grams{};
  std::array<double, kHeadCount> of_dense{};
};

Share difficulty_share(const Model& model, const core::PerDomain& domain,
                       double coverage) {
  Share share{"difficulty", {}, {}};
  share.of_dense[kDifficultyHead] = 1;
  for (size_t d = 0; d < domain.size(); ++d) {
    share.of_dense[kFamilyHead + kFamilyOf[d]] += domain[d];
  }
  const double familiar = std::pow(coverage, model.shrink);
  for (size_t h = 0; h < kHeadCount; ++h) {
    share.of_grams[h] = familiar * share.of_dense[h];
  }
  return share;
}

Share plain_share(size_t head) {
  Share share{std::string(kHeadNames[head]), {}, {}};
  share.of_grams[head] = share.of_dense[head] = 1;
  return share;
}

double gram_weight(const Model& model, const Share& share,
                   const NamedGram& gram) {
  const uint32_t entry = gram_entry(gram_id(gram.hash), model.bucket_bits);
  const GramRow& row = model.rows[entry >> 1];
  double weight = 0;
  for (size_t h = 0; h < kHeadCount; ++h) {
    if (gram.edge && !sees_edges(h)) continue;
    weight += share.of_grams[h] * model.gram_scale[h] * row.weight[h];
  }
  return (entry & 1) != 0 ? -weight : weight;
}

void keep_largest(std::vector<core::Contribution>& all, size_t limit,
                  std::vector<core::Contribution>& out) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::fabs(a.contribution) > std::fabs(b.contribution);
  });
  if (all.size() > limit) all.resize(limit);
  std::move(all.begin(), all.end(), std::back_inserter(out));
}

constexpr const char* kEdgeNote = " (among the first or last words)";

void explain_head(const Model& model, const Evidence& evidence,
                  const std::vector<NamedGram>& grams, const Share& share,
                  size_t limit, std::vector<core::Contribution>& out) {
  std::vector<core::Contribution> all;
  const double norm = gram_norm(evidence.grams);
  const double edge_norm = gram_norm(evidence.edges);
  for (const NamedGram& gram : grams) {
    const double weight =
        (gram.edge ? edge_norm : norm) * gram_weight(model, share, gram);
    if (weight == 0) continue;
    all.push_back({gram.edge ? gram.text + kEdgeNote : gram.text, share.name,
                   weight, gram.count,
                   weight * static_cast<double>(gram.count)});
  }
  for (size_t i = 0; i < kDenseCount; ++i) {
    double weight = 0;
    for (size_t h = 0; h < kHeadCount; ++h) {
      weight += share.of_dense[h] * static_cast<double>(model.dense[i][h]);
    }
    const double value = static_cast<double>(evidence.dense[i]);
    if (value == 0 || weight == 0) continue;
    all.push_back({"[" + std::string(dense_name(i)) + "]", share.name, weight,
                   1, weight * value});
  }
  keep_largest(all, limit, out);
}

}  // namespace

std::vector<core::Contribution> Analyzer::explain(const Input& input,
                                                  size_t limit) const {
  const Model& model = impl_->file.model;
  const Window window = choose_window(input.instruction, input.context);
  Surface surface;
  const Evidence evidence =
      gather(model, window, sizes_of(input, window), surface);
  const core::Analysis analysis = judge(model, evidence);
  const std::vector<NamedGram> grams = named_grams(window);
  std::vector<core::Contribution> out;
  explain_head(model, evidence, grams,
               difficulty_share(model, analysis.domain, analysis.coverage),
               limit, out);
  explain_head(model, evidence, grams,
               plain_share(core::largest(analysis.domain)), limit, out);
  return out;
}

}  // namespace llmroute::analyzer
