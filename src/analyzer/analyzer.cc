#include "analyzer/analyzer.h"

#include <fmt/format.h>

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
  ModelBytes bytes;  // of a model that was loaded; file views them
  ModelFile file;
  std::string id;
};

Analyzer::Analyzer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Analyzer::Analyzer(Analyzer&&) noexcept = default;
Analyzer& Analyzer::operator=(Analyzer&&) noexcept = default;
Analyzer::~Analyzer() = default;

Analyzer Analyzer::embedded() {
  auto file = parse_model(embedded_model(), Check::kForm);
  if (!file) std::abort();  // a unit test checks the file that is built in
  auto impl = std::make_unique<Impl>();
  impl->file = *std::move(file);
  impl->id = "builtin-1";
  return Analyzer(std::move(impl));
}

base::Result<Analyzer> Analyzer::load(const std::string& path) {
  const std::string place = "router model '" + path + "'";
  auto bytes = ModelBytes::read(path);
  if (!bytes) return with_context(place, std::move(bytes).error());
  auto impl = std::make_unique<Impl>();
  impl->bytes = *std::move(bytes);
  auto file = parse_model(impl->bytes.view(), Check::kDamage);
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

core::Analysis Analyzer::analyze(const Input& input) const {
  const Window window = choose_window(input.instruction, input.context);
  Surface surface;
  const Evidence evidence = gather(impl_->file.model, window, surface);
  core::Analysis analysis = judge(impl_->file.model, evidence);
  analysis.language = language_of(surface);
  analysis.bytes =
      static_cast<int64_t>(input.instruction.size() + input.context.size());
  const size_t passed_over = window.text_bytes - window.bytes;
  analysis.bytes_read = analysis.bytes - static_cast<int64_t>(passed_over);
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

// What an n-gram, or after those a dense feature, adds.
struct Pull {
  size_t of;
  double weight, value;
  double size() const { return std::fabs(weight * value); }
};

// The largest first, of equals the first.
void keep_largest(std::vector<Pull>& pulls, size_t limit) {
  const size_t kept = std::min(limit, pulls.size());
  std::partial_sort(pulls.begin(), pulls.begin() + static_cast<ptrdiff_t>(kept),
                    pulls.end(), [](const Pull& a, const Pull& b) {
                      return a.size() > b.size() ||
                             (a.size() == b.size() && a.of < b.of);
                    });
  pulls.resize(kept);
}

double dense_weight(const Model& model, const Share& share, size_t feature) {
  double weight = 0;
  for (size_t h = 0; h < kHeadCount; ++h) {
    weight += share.of_dense[h] * static_cast<double>(model.dense[feature][h]);
  }
  return weight;
}

constexpr const char* kEdgeNote = " (among the first or last words)";

void explain_head(const Model& model, const Evidence& evidence,
                  const std::vector<NamedGram>& grams, const Share& share,
                  size_t limit, std::vector<core::Contribution>& out) {
  std::vector<Pull> pulls;
  pulls.reserve(grams.size() + kDenseCount);
  const auto add = [&](size_t of, double weight, double value) {
    if (weight != 0 && value != 0) pulls.push_back({of, weight, value});
  };
  const double norm = gram_norm(evidence.grams);
  const double edge_norm = gram_norm(evidence.edges);
  for (size_t i = 0; i < grams.size(); ++i) {
    add(i,
        (grams[i].edge ? edge_norm : norm) *
            gram_weight(model, share, grams[i]),
        static_cast<double>(grams[i].count));
  }
  for (size_t i = 0; i < kDenseCount; ++i) {
    add(grams.size() + i, dense_weight(model, share, i),
        static_cast<double>(evidence.dense[i]));
  }
  keep_largest(pulls, limit);
  for (const Pull& pull : pulls) {
    core::Contribution& one = out.emplace_back();
    one.head = share.name;
    one.weight = pull.weight;
    one.contribution = pull.weight * pull.value;
    if (pull.of < grams.size()) {
      const NamedGram& gram = grams[pull.of];
      one.text = gram.edge ? gram.text + kEdgeNote : gram.text;
      one.count = gram.count;
    } else {
      one.text = fmt::format("[{}]", dense_name(pull.of - grams.size()));
      one.count = 1;
    }
  }
}

}  // namespace

std::vector<core::Contribution> Analyzer::explain(const Input& input,
                                                  size_t limit) const {
  const Model& model = impl_->file.model;
  const Window window = choose_window(input.instruction, input.context);
  Surface surface;
  const Evidence evidence = gather(model, window, surface);
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
