#include "app/training_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "analyzer/features.h"
#include "analyzer/model.h"
#include "app/sample_features.h"
#include "base/files.h"
#include "base/text.h"
#include "base/threads.h"
#include "learning/augment.h"
#include "learning/lines.h"
#include "learning/random.h"
#include "learning/row_reader.h"

namespace llmroute::app {
namespace {

using learning::Row;

learning::HeadLayout head_layout() {
  learning::HeadLayout layout;
  layout.difficulty = analyzer::kDifficultyHead;
  layout.family = analyzer::kFamilyHead;
  layout.family_count = analyzer::kFamilyCount;
  layout.family_of = analyzer::kFamilyOf;
  layout.length = analyzer::kLengthHead;
  return layout;
}

uint32_t fingerprint(uint64_t hash) {
  return static_cast<uint32_t>(learning::mix64(hash) >> 32);
}

// Whether one of what a model file may hold of a row is known.
template <class Known>
bool is_known(const Row& row, const Known& known) {
  return known(fingerprint(row.wording())) ||
         known(fingerprint(learning::prompt_hash(row.prompt)));
}

base::Error at_line(const learning::LineReader& reader, base::Error error) {
  return with_context(fmt::format("{}:{}", reader.path(), reader.number()),
                      std::move(error));
}

Part part_of(uint64_t identity) {
  switch (learning::mix64(identity) % 10) {
    case 0:
      return Part::kTest;
    case 1:
      return Part::kCalibrate;
    default:
      return Part::kTrain;
  }
}

class Builder {
 public:
  explicit Builder(const TrainingSetOptions& options) : options_(options) {
    set_.problem.layout = head_layout();
    abilities_ = options.abilities;
    set_.problem.bucket_bits = options.bucket_bits;
    set_.problem.dense_count = analyzer::kDenseCount;
    for (size_t i = 0; i < analyzer::kDenseCount; ++i) {
      set_.problem.tells_domain.push_back(analyzer::tells_domain(i));
    }
  }

  base::Status read(const std::string& path) {
    if (path.ends_with(".json")) {
      LLMROUTE_TRY(learning::Abilities more, learning::read_abilities(path));
      more.merge(abilities_);
      abilities_ = std::move(more);
      return {};
    }
    if (path.ends_with(".tsv")) return read_notes(path);
    LLMROUTE_TRY(learning::RowReader reader, learning::RowReader::open(path));
    const size_t before = kept_;
    for (;;) {
      LLMROUTE_TRY(std::optional<Row> row, reader.next());
      if (!row) break;
      add(*std::move(row));
    }
    set_.rows_of_file.emplace_back(base::base_name(learning::shown_path(path)),
                                   kept_ - before);
    return {};
  }

  base::Status read_notes(const std::string& path) {
    LLMROUTE_TRY(learning::LineReader reader, learning::LineReader::open(path));
    std::string_view line;
    for (;;) {
      auto more = reader.next(line);
      if (!more) return std::move(more).error();
      if (!*more) return {};
      const std::vector<std::string> fields = base::split(line, '\t');
      if (fields.size() != 3) {
        return at_line(reader, {base::ErrorKind::kData,
                                "not a name, a licence and an origin"});
      }
      set_.notes[fields[0]] = {fields[1], fields[2]};
    }
  }

  base::Result<TrainingSet> finish() {
    share_out();
    fill_templates();
    add_queued();
    if (kept_ == 0 && rows_ > 0) {
      return base::Error{
          base::ErrorKind::kData,
          fmt::format("--without leaves none of {} rows", rows_)};
    }
    if (set_.problem.samples.empty() || set_.test.empty()) {
      return base::Error{
          base::ErrorKind::kData,
          fmt::format("{} rows{} are too few to train on: {} to "
                      "learn from{}, {} to test with",
                      kept_, kept_ < rows_ ? " that --without leaves" : "",
                      set_.problem.samples.size() - set_.copies, known_before(),
                      set_.test.size())};
    }
    weigh_sources();
    mark_seen();
    note_trained();
    for (const std::string& model : set_.models) {
      const auto known =
          abilities_.find(learning::normalised_model_name(model));
      set_.problem.known_ability.push_back(known == abilities_.end()
                                               ? std::nullopt
                                               : std::optional(known->second));
    }
    set_.problem.source_count = set_.sources.size();
    return std::move(set_);
  }

 private:
  void add(Row row) {
    ++rows_;
    if (options_.progress && rows_ % 1000 == 0) options_.progress(rows_);
    if (left_out(row)) return;
    ++kept_;
    (row.compose > 0 ? templates_ : read_).push_back(std::move(row));
  }

  // Once all rows are read: any of them may join others into one prompt.
  void share_out() {
    const std::vector<Part> parts = parts_of(read_, [this](const Row& row) {
      const bool known = trained_before(row);
      set_.trained_before += known;
      return known;
    });
    for (size_t i = 0; i < read_.size(); ++i) {
      Row row = std::move(read_[i]);
      switch (parts[i]) {
        case Part::kCalibrate:
          set_.calibrate.push_back(std::move(row));
          break;
        case Part::kTest:
          set_.test.push_back(std::move(row));
          break;
        case Part::kTrain:
          remember_filling(row);
          queue(std::move(row));
      }
    }
    read_.clear();
  }

  std::string known_before() const {
    if (set_.trained_before == 0) return "";
    return fmt::format(" ({} of which the model of --init was trained on)",
                       set_.trained_before);
  }

  // By the model that this one starts from.
  bool trained_before(const Row& row) const {
    const auto& trained = options_.trained;
    return !trained.empty() && is_known(row, [&](uint32_t fingerprint) {
      return std::binary_search(trained.begin(), trained.end(), fingerprint);
    });
  }

  bool left_out(const Row& row) const {
    return std::any_of(
        options_.without.begin(), options_.without.end(),
        [&](const std::string& glob) {
          return base::glob_match(glob, row.source) ||
                 base::glob_match(glob,
                                  row.source.substr(row.source.find(':') + 1));
        });
  }

  void queue(Row row) {
    const uint64_t origin = row.wording();
    set_.trained.push_back(fingerprint(origin));
    if (options_.augment) {
      if (auto prompt = learning::augmented(row.prompt, options_.seed)) {
        Row copy = row;
        copy.prompt = *std::move(prompt);
        queue_.push_back({std::move(copy), origin});
        ++set_.copies;
      }
    }
    queue_.push_back({std::move(row), origin});
    if (queue_.size() >= kQueue) add_queued();
  }

  // Features of the queued rows on all threads, then the rows in their order.
  void add_queued() {
    std::vector<analyzer::TrainingFeatures> features(queue_.size());
    const auto threads = static_cast<size_t>(std::max(options_.threads, 1));
    const auto work = [&](size_t first) {
      for (size_t i = first; i < queue_.size(); i += threads) {
        const Row& row = queue_[i].row;
        analyzer::extract(row.prompt, row.context, features[i]);
      }
    };
    base::on_threads(threads, work);
    for (size_t i = 0; i < queue_.size(); ++i) {
      add_sample(queue_[i].row, queue_[i].origin, features[i]);
    }
    queue_.clear();
  }

  // Texts that templates are filled with.
  void remember_filling(const Row& row) {
    const size_t size = row.prompt.size();
    if (row.domain == core::domain_index("code") && size < 1500) {
      codes_.push_back(row.prompt);
    }
    if (size >= 100 && size <= 3000) texts_.push_back(row.prompt);
    if (row.domain == core::domain_index("knowledge") && size < 120 &&
        row.prompt.find('\n') == std::string::npos) {
      questions_.push_back(row.prompt);
    }
  }

  void fill_templates() {
    learning::Random random(learning::mix64(options_.seed));
    for (const Row& pattern : templates_) {
      for (int64_t i = 0; i < pattern.compose; ++i) {
        Row row = pattern;
        for (std::string* text : {&row.prompt, &row.context}) {
          fill(*text, "{text}", texts_, random);
          fill(*text, "{code}", codes_, random);
          fill(*text, "{question}", questions_, random);
        }
        queue(std::move(row));
      }
    }
  }

  static void fill(std::string& prompt, std::string_view place,
                   const std::vector<std::string>& fillings,
                   learning::Random& random) {
    if (fillings.empty()) return;
    for (size_t at = prompt.find(place); at != std::string::npos;
         at = prompt.find(place, at)) {
      const std::string& filling = fillings[random.below(fillings.size())];
      prompt.replace(at, place.size(), filling);
      at += filling.size();
    }
  }

  void add_sample(const Row& row, uint64_t origin,
                  analyzer::TrainingFeatures& features) {
    learning::Problem& problem = set_.problem;
    learning::Sample sample = append_features(features, problem);
    sample.outcome_begin = static_cast<uint32_t>(problem.outcomes.size());
    append_outcomes(row);
    sample.outcome_end = static_cast<uint32_t>(problem.outcomes.size());
    sample.source = source_index(row.source);
    sample.bytes = static_cast<double>(row.prompt.size() + row.context.size());
    if (row.domain) sample.domain = static_cast<int8_t>(*row.domain);
    if (row.level && row.scores.empty()) {
      sample.level = static_cast<int8_t>(*row.level);
      sample.small_talk =
          row.raw_domain == "chat" && *row.level == learning::Level::kSimple;
    }
    if (row.difficulty && row.scores.empty()) {
      sample.difficulty = static_cast<float>(*row.difficulty);
      sample.difficulty_weight = static_cast<float>(row.difficulty_weight);
    }
    sample.log_tokens = log_tokens(row);
    if (row.weak) sample.weight = 0.3F;
    problem.samples.push_back(sample);
    keep_words(origin, features.words);
  }

  // 0: not known.
  static float log_tokens(const Row& row) {
    constexpr double kBytesPerToken = 4;
    double tokens = row.answer_tokens.value_or(0);
    if (row.answer_ratio) {
      tokens = *row.answer_ratio *
               static_cast<double>(row.prompt.size() + row.context.size()) /
               kBytesPerToken;
    }
    return tokens == 0 ? 0
                       : static_cast<float>(std::log(std::max(tokens, 2.0)));
  }

  void append_outcomes(const Row& row) {
    if (row.suspect || row.preference) return;
    for (const auto& [model, score] : row.scores) {
      set_.problem.outcomes.push_back(
          {static_cast<uint32_t>(set_.model_index(model)),
           static_cast<float>(score)});
    }
  }

  uint32_t source_index(const std::string& source) {
    const auto [place, is_new] =
        source_index_.try_emplace(source, set_.sources.size());
    if (is_new) set_.sources.push_back(source);
    return static_cast<uint32_t>(place->second);
  }

  // Hashes of the distinct words and pairs of each sample, for coverage.
  void keep_words(uint64_t origin, std::vector<uint64_t>& words) {
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    words_.insert(words_.end(), words.begin(), words.end());
    word_end_.push_back(words_.size());
    if (!prompts_.insert(origin).second) return;  // a copy
    for (const uint64_t word : words) ++word_rows_[word];
  }

  void weigh_sources() {
    std::vector<size_t> rows(set_.sources.size());
    for (const learning::Sample& sample : set_.problem.samples) {
      ++rows[sample.source];
    }
    for (learning::Sample& sample : set_.problem.samples) {
      const double n = static_cast<double>(rows[sample.source]);
      sample.weight *=
          static_cast<float>(std::clamp(std::sqrt(1000 / n), 0.3, 3.0));
    }
  }

  // A word counts as seen when two prompts have it; for a prompt of the
  // training part itself, when two others do.
  void mark_seen() {
    set_.seen.assign(options_.seen.begin(), options_.seen.end());
    if (set_.seen.empty()) {
      set_.seen.resize((size_t{1} << options_.seen_bits) / 8);
    }
    const auto seen_bits =
        static_cast<uint32_t>(std::countr_zero(set_.seen.size() * 8));
    for (const auto& [word, rows] : word_rows_) {
      if (rows < 2) continue;
      const uint32_t bit = analyzer::seen_bit(word, seen_bits);
      set_.seen[bit >> 3] |= static_cast<uint8_t>(1 << (bit & 7));
    }
    size_t begin = 0;
    for (size_t i = 0; i < word_end_.size(); ++i) {
      size_t known = 0;
      for (size_t w = begin; w < word_end_[i]; ++w) {
        known += word_rows_[words_[w]] >= 3;
      }
      const size_t all = word_end_[i] - begin;
      set_.problem.samples[i].coverage =
          all == 0 ? 0 : static_cast<float>(known) / static_cast<float>(all);
      begin = word_end_[i];
    }
  }

  void note_trained() {
    std::vector<uint32_t>& trained = set_.trained;
    trained.insert(trained.end(), options_.trained.begin(),
                   options_.trained.end());
    std::sort(trained.begin(), trained.end());
    trained.erase(std::unique(trained.begin(), trained.end()), trained.end());
  }

  const TrainingSetOptions& options_;
  TrainingSet set_;
  learning::Abilities abilities_;
  static constexpr size_t kQueue = 1024;
  struct Queued {
    Row row;
    uint64_t origin = 0;  // hash of the prompt that it is, or is a copy of
  };
  std::vector<Queued> queue_;
  size_t rows_ = 0, kept_ = 0;  // kept: of no source that is left out
  std::vector<Row> read_, templates_;
  std::vector<std::string> texts_, codes_, questions_;
  std::unordered_map<std::string, size_t> source_index_;
  std::unordered_map<uint64_t, uint32_t> word_rows_;
  std::unordered_set<uint64_t> prompts_;
  std::vector<uint64_t> words_;
  std::vector<size_t> word_end_;  // per sample
};

}  // namespace

bool trained_on(const analyzer::Analyzer& analyzer, const Row& row) {
  return is_known(row, [&](uint32_t fingerprint) {
    return analyzer.trained_on(fingerprint);
  });
}

std::vector<Part> parts_of(std::span<const Row> rows,
                           const std::function<bool(const Row&)>& trained) {
  const std::vector<uint64_t> prompts = learning::identities_of(rows);
  std::unordered_set<uint64_t> known;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (trained(rows[i])) known.insert(prompts[i]);
  }
  std::vector<Part> parts;
  for (const uint64_t prompt : prompts) {
    const Part part = part_of(prompt);
    const bool spoilt = part == Part::kTest && known.contains(prompt);
    parts.push_back(spoilt ? Part::kTrain : part);
  }
  return parts;
}

size_t TrainingSet::model_index(const std::string& name) {
  const auto [place, is_new] = index_of_model.try_emplace(name, models.size());
  if (is_new) models.push_back(name);
  return place->second;
}

base::Result<TrainingSet> read_training_set(
    const std::vector<std::string>& files, const TrainingSetOptions& options) {
  Builder builder(options);
  for (const std::string& file : files) LLMROUTE_CHECK(builder.read(file));
  return builder.finish();
}

}  // namespace llmroute::app
