// The report of a training as text, JSON and model card.
#include <fmt/format.h>

#include <algorithm>

#include "app/training_report.h"
#include "base/json_writer.h"
#include "base/table.h"
#include "base/text.h"

namespace llmroute::app {
namespace {

std::string count(size_t n) {
  return base::with_thousands(static_cast<int64_t>(n));
}

std::string share(double value) { return fmt::format("{:.3f}", value); }

std::string probability_table(const TrainingReport& r) {
  base::Table table("lrrr");
  table.add_row({"P(good)", "Brier", "log loss", "calibration error"});
  const auto add = [&](const char* name, const ProbabilityReport& p) {
    table.add_row(
        {name, share(p.brier), share(p.log_loss), share(p.calibration_error)});
  };
  add("this model", r.model);
  add("length only", r.length);
  add("best constant per model", r.constant);
  return table.render();
}

std::string pair_table(const TrainingReport& r) {
  base::Table table("llrrrrr");
  table.add_row({"source", "strong over weak", "rows", "APGR", "by length",
                 "CPT50", "CPT80"});
  for (const SourcePair& pair : r.pairs) {
    table.add_row({pair.source,
                   fmt::format("{} ({:.2f}) over {} ({:.2f})", pair.strong,
                               pair.strong_mean, pair.weak, pair.weak_mean),
                   count(pair.rows), share(pair.model.apgr),
                   share(pair.length.apgr),
                   fmt::format("{:.0f}%", pair.model.cpt50),
                   fmt::format("{:.0f}%", pair.model.cpt80)});
  }
  return table.render();
}

std::string recall_line(const TrainingReport& r) {
  std::string line;
  for (size_t d = 0; d < r.domain_recall.size(); ++d) {
    if (r.domain_recall[d] < 0) continue;
    line += fmt::format("{}{} {:.2f}", line.empty() ? "" : ", ",
                        core::kDomainNames[d], r.domain_recall[d]);
  }
  return line;
}

std::string source_report_table(const TrainingReport& r) {
  base::Table table("lrrr");
  table.add_row({"by source", "outcomes", "Brier", "calibration error"});
  for (const SourceReport& source : r.sources) {
    table.add_row({source.source, count(source.outcomes),
                   share(source.model.brier),
                   share(source.model.calibration_error)});
  }
  return table.render();
}

// Rows are the truth, columns the guess.
std::string confusion_table(const TrainingReport& r) {
  base::Table table("l" + std::string(core::kDomainCount, 'r'));
  std::vector<std::string> head = {"is \\ taken for"};
  for (const auto& name : core::kDomainNames) head.emplace_back(name);
  table.add_row(head);
  for (size_t truth = 0; truth < r.confusion.size(); ++truth) {
    std::vector<std::string> row = {std::string(core::kDomainNames[truth])};
    for (const size_t n : r.confusion[truth]) row.push_back(count(n));
    table.add_row(row);
  }
  return table.render();
}

std::string installed_line(const TrainingReport& r) {
  std::string line = "The model in use now, on the same rows:";
  if (r.domain_rows > 0) {
    line += fmt::format(" domains {:.3f}", r.installed_accuracy);
  }
  if (r.outcomes > 0) {
    if (r.domain_rows > 0) line += ",";
    line += r.installed_outcomes == 0
                ? " none of the abilities of the models is known"
                : fmt::format(
                      " Brier {:.3f} (this model: {:.3f})\non the {} outcomes "
                      "of models whose ability is known",
                      r.installed_brier, r.brier_beside_installed,
                      count(r.installed_outcomes));
  }
  return line + ".\n";
}

std::string figures(const TrainingReport& r) {
  std::string text;
  if (r.domain_rows > 0) {
    text += fmt::format(
        "Domains, {} held-out rows: accuracy {:.3f} (always the commonest: "
        "{:.3f}), macro F1 {:.3f}.\nRecall: {}.\n\n",
        count(r.domain_rows), r.domain.accuracy, r.commonest_domain,
        r.domain.macro_f1, recall_line(r));
  }
  if (r.outcomes > 0) {
    text += fmt::format(
        "{} held-out outcomes of {} models:\n\n{}\nBrier score "
        "gained over the best constant: {:.4f} to {:.4f} (95 %).\n\n",
        count(r.outcomes), count(r.models), probability_table(r), r.gain.low,
        r.gain.high);
  }
  if (!r.pairs.empty()) {
    text += fmt::format(
        "Routing between two models (APGR: 0.5 is a constant or chance):\n\n{}"
        "\nMean APGR {:.3f}; by length {:.3f}.\n\n",
        pair_table(r), r.mean_apgr, r.mean_length_apgr);
  }
  if (r.length_rows > 0) {
    text += fmt::format(
        "Answer length, {} held-out rows: off by a factor of {:.2f} in the "
        "median (one number for all: {:.2f}).\n",
        count(r.length_rows), r.length_factor, r.constant_length_factor);
  }
  return text;
}

void add_probability(base::JsonWriter& json, const char* name,
                     const ProbabilityReport& p) {
  json.key(name).begin_object();
  json.field("brier", p.brier).field("log_loss", p.log_loss);
  json.field("calibration_error", p.calibration_error).end_object();
}

void add_metrics(base::JsonWriter& json, const char* name,
                 const learning::FineMetrics& m) {
  json.key(name).begin_object();
  json.field("apgr", m.apgr).field("cpt50", m.cpt50).field("cpt80", m.cpt80);
  json.field("saved_at_95", m.saved95).field("saved_at_99", m.saved99);
  json.end_object();
}

void add_pairs(base::JsonWriter& json, const TrainingReport& r) {
  json.key("pairs").begin_array();
  for (const SourcePair& pair : r.pairs) {
    json.begin_object().field("source", pair.source);
    json.field("strong", pair.strong).field("weak", pair.weak);
    json.field("rows", pair.rows);
    json.field("strong_mean", pair.strong_mean);
    json.field("weak_mean", pair.weak_mean);
    add_metrics(json, "model", pair.model);
    add_metrics(json, "length", pair.length);
    json.end_object();
  }
  json.end_array();
}

void add_domains(base::JsonWriter& json, const TrainingReport& r) {
  json.key("domains").begin_object().field("rows", r.domain_rows);
  if (r.domain_rows > 0) {
    json.field("accuracy", r.domain.accuracy);
    json.field("macro_f1", r.domain.macro_f1);
    json.field("commonest", r.commonest_domain);
    json.field("installed_accuracy", r.installed_accuracy);
    json.key("recall").begin_object();
    for (size_t d = 0; d < r.domain_recall.size(); ++d) {
      if (r.domain_recall[d] >= 0) {
        json.field(core::kDomainNames[d], r.domain_recall[d]);
      }
    }
    json.end_object();
  }
  json.end_object();
}

std::string source_table(const TrainingSet& set) {
  std::string table =
      "| file | rows | licence | from |\n| --- | ---: | --- | --- |\n";
  for (const auto& [file, rows] : set.rows_of_file) {
    const auto note = set.notes.find(file);
    const bool known = note != set.notes.end();
    table += fmt::format("| {} | {} | {} | {} |\n", file, count(rows),
                         known ? note->second.licence : "not stated",
                         known ? note->second.origin : "");
  }
  return table;
}

constexpr std::string_view kWhat = R"(## What it says

Of a prompt: the probabilities of nine kinds of task (code, agentic, math,
reasoning, knowledge, writing, chat, text, tools), a difficulty on the scale of
the registry's abilities (0: what a model of the GPT-4o class gets right every
other time), the expected length of the answer, and how far to trust all this.
It is a linear model over hashed words, pairs of words, the first and last
words, and counts such as length, digits and marks; what only greets, thanks or
asks for help with what follows is passed over. It reads no meaning: a short
prompt that hides a hard problem looks easy.

)";

constexpr std::string_view kLabels = R"(## How the labels came about

- Outcomes are grades of models' answers as they stand in the data; the
  difficulty is fitted to them by item response theory. Models whose abilities
  are known hold the scale, the others' are fitted along with it.
- Where data only name a level, it bounds the difficulty: simple is at most -3.5
  (small talk at most -4), medium from -3.5 to 0, hard at least 0. These bounds
  are judgements, not measurements.
)";

// Of the model that is built in.
constexpr std::string_view kOwnLabels =
    R"(- Rows of this project's own (seeds) were written for it; their domains,
  difficulties and answer lengths are judgements too. Some are templates filled
  with other rows' texts.
- Answer lengths were measured for mathematics and code only; for other kinds
  they are the judgements just named.
)";

constexpr std::string_view kWeak = R"(
## What it is weak at

)";

constexpr std::string_view kOwnWeak =
    R"(- Agentic work and tool use have few rows of their own; the data hold almost no
  agentic prompts, so that head rests on this project's own rows.
- Beyond English, Chinese and the commoner European languages it has seen little.
)";

constexpr std::string_view kUnlike =
    R"(- Kinds of prompts unlike all sources above: the figures are for rows of the
  same sources. The share of a prompt's words and pairs that were seen in
  training (coverage) lowers the confidence, and with it raises the difficulty
  that routing uses.

)";

// Whether a file is noted as one of this project's rows.
bool has_own_rows(const TrainingSet& set) {
  return std::any_of(
      set.rows_of_file.begin(), set.rows_of_file.end(), [&](const auto& file) {
        const auto note = set.notes.find(file.first);
        return note != set.notes.end() && note->second.origin == "this project";
      });
}

std::string cautions(const TrainingSet& set) {
  const bool own = has_own_rows(set);
  std::string text(kLabels);
  if (own) text += kOwnLabels;
  text += kWeak;
  if (own) text += kOwnWeak;
  return text += kUnlike;
}

std::string gate_line(const TrainingReport& r) {
  const std::string shortcoming = r.shortcoming();
  if (shortcoming.empty()) {
    return "It beats the best constant on the held-out rows.\n\n";
  }
  return fmt::format(
      "It does not pass the gate of `train`: {}.\nIt was written "
      "all the same, by `--force`.\n\n",
      shortcoming);
}

// Why fewer rows are held out than a tenth.
std::string before_line(const TrainingReport& r) {
  if (r.trained_before == 0) return "";
  return fmt::format(
      "The model it started from was trained on {} of the rows; none of them "
      "is held out.\n",
      count(r.trained_before));
}

}  // namespace

std::string report_text(const TrainingReport& r) {
  return fmt::format(
      "Trained on {} rows and {} changed copies, slope set on {}, measured on "
      "{} "
      "that took no part.\n{}"
      "{} of {} models have known abilities; slope {:.3f}.\n\n{}\n{}",
      count(r.train_rows), count(r.copies), count(r.calibrate_rows),
      count(r.test_rows), before_line(r), r.known_models, r.models, r.slope,
      figures(r), installed_line(r));
}

std::string report_json(const TrainingReport& r, bool written,
                        const std::string& sha256) {
  base::JsonWriter json;
  json.begin_object();
  json.key("rows").begin_object().field("train", r.train_rows);
  json.field("copies", r.copies);
  json.field("trained_before", r.trained_before);
  json.field("calibrate", r.calibrate_rows).field("test", r.test_rows);
  json.end_object();
  json.field("slope", r.slope).field("models", r.models);
  json.field("known_models", r.known_models);
  add_domains(json, r);
  json.key("outcomes").begin_object().field("count", r.outcomes);
  if (r.outcomes > 0) {
    add_probability(json, "model", r.model);
    add_probability(json, "length", r.length);
    add_probability(json, "constant", r.constant);
    json.field("gain_low", r.gain.low).field("gain_high", r.gain.high);
    json.field("installed_outcomes", r.installed_outcomes);
    if (r.installed_outcomes > 0) {
      json.field("installed_brier", r.installed_brier);
      json.field("brier_beside_installed", r.brier_beside_installed);
    }
    json.key("sources").begin_object();
    for (const SourceReport& source : r.sources) {
      add_probability(json, source.source.c_str(), source.model);
    }
    json.end_object();
  }
  json.end_object();
  add_pairs(json, r);
  json.key("answer_length").begin_object().field("rows", r.length_rows);
  if (r.length_rows > 0) {
    json.field("factor", r.length_factor);
    json.field("constant_factor", r.constant_length_factor);
  }
  json.end_object();
  json.field("beats_constant", r.beats_constant());
  json.field("written", written).field("sha256", sha256);
  json.end_object();
  return json.take() + "\n";
}

std::string model_card(const TrainingReport& r, const TrainingSet& set,
                       const CardFacts& facts) {
  std::string card = fmt::format(
      "# Router model {}\n\nWritten by `llmroute train`; do not edit. {} "
      "bytes, "
      "SHA-256 (stored in its header)\n`{}`, seed {}.\n\n{}",
      facts.file, count(facts.bytes), facts.sha256, facts.seed, kWhat);
  card += fmt::format("## Made by\n\n    {}\n\n", facts.command);
  if (!facts.start.empty()) {
    card += fmt::format(
        "It started from {}, and was trained on what that was, too.\n\n",
        facts.start);
    if (r.trained_before > 0) card += before_line(r) + "\n";
  }
  card += fmt::format(
      "## Trained on\n\n{}\n{} rows trained (templates filled) and {} changed "
      "copies of them (typos, case, blanks,\npunctuation, numbers, courtesy), "
      "{} set the slope, {} measured; split by a hash of the\nprompt, so that "
      "copies of a prompt fall into one part.\n\n",
      source_table(set), count(r.train_rows), count(r.copies),
      count(r.calibrate_rows), count(r.test_rows));
  card += fmt::format(
      "## Held-out figures\n\n```\n{}\n{}\n{}```\n\nSlope of P(good): {:.3f}. "
      "{} of {} models have known abilities.\n\n",
      figures(r), source_report_table(r), confusion_table(r), r.slope,
      r.known_models, r.models);
  return card + gate_line(r) + cautions(set);
}

}  // namespace llmroute::app
