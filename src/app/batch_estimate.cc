#include "app/batch_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "app/batch_record.h"
#include "app/batch_setup.h"
#include "app/output.h"
#include "base/json_writer.h"
#include "base/sha256.h"
#include "base/table.h"
#include "base/text.h"
#include "base/threads.h"
#include "batch/id_set.h"
#include "batch/record.h"
#include "core/money.h"
#include "core/money_json.h"

namespace llmroute::app {
namespace {

using base::Result;
using base::Status;
using core::ExitStatus;
using core::Money;

// Small enough to stay in a core's own cache with what is read from it.
constexpr size_t kBlockBytes = size_t{32} << 10;
constexpr size_t kMostKept = 4 * kBlockBytes;  // of a block with a long line
constexpr size_t kMostThreads = 8;

// Sums over records; those of several threads add up.
struct Estimate {
  int64_t records = 0, unpriced = 0;
  int64_t input_tokens = 0, output_tokens = 0;
  Money low, expected, high;  // of the records that have a price

  void operator+=(const Estimate& other) {
    records += other.records;
    unpriced += other.unpriced;
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    low += other.low;
    expected += other.expected;
    high += other.high;
  }
};

// Answers of half and of twice the expected length, up to the limit.
void add(Estimate& estimate, const core::Candidate& candidate) {
  ++estimate.records;
  estimate.input_tokens += candidate.input_tokens;
  estimate.output_tokens += candidate.output_tokens;
  if (!candidate.cost) {
    ++estimate.unpriced;
    return;
  }
  const Money output =
      *candidate.model->price_for(candidate.input_tokens).output;
  const int64_t expected = candidate.output_tokens;
  const int64_t longest =
      std::min(2 * expected,
               std::max(expected, candidate.output_cap.value_or(2 * expected)));
  const Money input = *candidate.cost - output * expected;
  estimate.low += input + output * (expected / 2);
  estimate.expected += *candidate.cost;
  estimate.high += input + output * longest;
}

struct Totals {
  std::map<std::string, Estimate> models;
  Estimate all, strongest, cheapest;
  std::map<std::string, int64_t> faults;  // code -> records
};

// Of one thread.
struct Sums {
  std::unordered_map<const core::Model*, Estimate> models;
  Estimate strongest, cheapest;
  std::map<std::string, int64_t> faults;
};

void add(Totals& totals, const Sums& sums) {
  for (const auto& [model, estimate] : sums.models) {
    totals.models[model->name] += estimate;
    totals.all += estimate;
  }
  totals.strongest += sums.strongest;
  totals.cheapest += sums.cheapest;
  for (const auto& [code, count] : sums.faults) totals.faults[code] += count;
}

void add(Sums& sums, const core::Decision& decision) {
  const auto& candidates = decision.candidates;
  const core::Candidate& chosen = candidates.front();
  add(sums.models[chosen.model], chosen);
  add(sums.strongest, *std::max_element(candidates.begin(), candidates.end(),
                                        [](const auto& a, const auto& b) {
                                          return a.model->general_ability() <
                                                 b.model->general_ability();
                                        }));
  add(sums.cheapest, *std::min_element(candidates.begin(), candidates.end(),
                                       [](const auto& a, const auto& b) {
                                         return a.cost.value_or(Money::max()) <
                                                b.cost.value_or(Money::max());
                                       }));
}

// Lines for one thread to look at.
struct Block {
  std::string bytes;
  struct Line {
    size_t begin, size;
    int64_t number;
    bool too_long;
  };
  std::vector<Line> lines;
};

// The input in blocks, for whichever thread is ready for one.
class Blocks {
 public:
  explicit Blocks(batch::InputLines& lines) : lines_(lines) {}

  // Lines of kBlockBytes and more, waiting for them; none at the end. In place
  // of what the block held.
  Status take(Block& block) {
    const std::lock_guard lock(mutex_);
    if (block.bytes.capacity() > kMostKept) block.bytes = {};
    block.bytes.clear();
    block.lines.clear();
    while (!over_ && block.bytes.size() < kBlockBytes) {
      batch::InputLine line;
      auto next = lines_.next(line);
      over_ = !next || *next == batch::InputLines::Next::kEnd;
      if (!next) return next.error();
      if (*next == batch::InputLines::Next::kWait) wait_for_input(lines_.fd());
      if (*next != batch::InputLines::Next::kLine) continue;
      block.lines.push_back(
          {block.bytes.size(), line.text.size(), line.number, line.too_long});
      block.bytes += line.text;
    }
    return {};
  }

 private:
  std::mutex mutex_;
  batch::InputLines& lines_;
  bool over_ = false;  // nothing more comes, or an error did
};

class Estimator {
 public:
  Estimator(const BatchOptions& options, const Routed& routed,
            const Messages& messages)
      : options_(options),
        routed_(routed),
        messages_(messages),
        ids_(scratch_directory(options.output)) {}

  Result<Totals> run(batch::InputLines& lines);

 private:
  // What one thread works with, from block to block.
  struct Desk {
    batch::RecordParser parser;
    Block block;
    std::vector<batch::Record> records;
    std::vector<batch::Record*> sound;   // those without an error
    std::vector<base::Fingerprint> ids;  // theirs
    DecidedRecord decided;
    Sums sums;
  };

  // Faults are told in the order of the input, so one thread looks for them.
  size_t threads() const {
    const size_t cores = std::thread::hardware_concurrency();
    return options_.validate ? 1 : std::clamp<size_t>(cores, 1, kMostThreads);
  }
  Result<Sums> work(Blocks& blocks);
  Status look_at_block(Desk& desk);
  Status check_ids(Desk& desk);
  void look_at(batch::Record& record, Desk& desk) const;

  const BatchOptions& options_;
  const Routed& routed_;
  const Messages& messages_;
  std::mutex mutex_;  // of ids_
  batch::IdSet ids_;
};

// All of a block at once: threads meet here.
Status Estimator::check_ids(Desk& desk) {
  desk.ids.clear();
  desk.sound.clear();
  for (batch::Record& record : desk.records) {
    if (record.error || !record.own_id) continue;
    desk.ids.push_back(base::fingerprint(record.id));
    desk.sound.push_back(&record);
  }
  const std::lock_guard lock(mutex_);
  return ids_.insert(desk.ids, [&desk](size_t i, bool fresh) {
    batch::Record& record = *desk.sound[i];
    if (!fresh) record.error = batch::duplicate_id(record);
  });
}

void Estimator::look_at(batch::Record& record, Desk& desk) const {
  if (!record.error) {
    const Status decided =
        decide_record(record, options_, routed_, desk.decided);
    if (decided) return add(desk.sums, desk.decided.decision);
    record.error = not_routed(decided.error());
  }
  ++desk.sums.faults[record.error->code];
  if (!options_.validate) return;
  messages_.error(
      fmt::format("line {}: {}", record.line, record.error->message));
}

Status Estimator::look_at_block(Desk& desk) {
  const std::string_view bytes = desk.block.bytes;
  desk.records.clear();
  for (const Block::Line& line : desk.block.lines) {
    batch::Record& record = desk.records.emplace_back();
    if (line.too_long) {
      record = batch::too_long_record(line.number);
    } else {
      desk.parser.parse(bytes.substr(line.begin, line.size), line.number,
                        record);
    }
  }
  LLMROUTE_CHECK(check_ids(desk));
  for (batch::Record& record : desk.records) look_at(record, desk);
  return {};
}

Result<Sums> Estimator::work(Blocks& blocks) {
  LLMROUTE_TRY(auto parser, record_parser(options_.input, false));
  Desk desk{std::move(parser), {}, {}, {}, {}, {}, {}};
  for (;;) {
    LLMROUTE_CHECK(blocks.take(desk.block));
    if (desk.block.lines.empty()) return std::move(desk.sums);
    LLMROUTE_CHECK(look_at_block(desk));
  }
}

Result<Totals> Estimator::run(batch::InputLines& lines) {
  const size_t count = threads();
  Blocks blocks(lines);
  std::vector<Result<Sums>> sums(count, Sums());
  base::on_threads(count, [&](size_t i) { sums[i] = work(blocks); });
  Totals all;
  for (const Result<Sums>& some : sums) {
    if (!some) return some.error();
    add(all, *some);
  }
  return all;
}

std::vector<std::string> row(const std::string& name, const Estimate& it) {
  const bool known = it.unpriced < it.records;
  const auto usd = [&](Money money) {
    return known ? core::display_usd(money) : std::string("unknown");
  };
  std::string note;
  if (known && it.unpriced > 0) {
    note = fmt::format("without {} of unknown price",
                       base::with_thousands(it.unpriced));
  }
  return {name,
          base::with_thousands(it.records),
          base::with_thousands(it.input_tokens),
          base::with_thousands(it.output_tokens),
          usd(it.low),
          usd(it.expected),
          usd(it.high),
          note};
}

int64_t count_faults(const Totals& totals) {
  int64_t count = 0;
  for (const auto& [code, records] : totals.faults) count += records;
  return count;
}

std::string fault_line(const Totals& totals) {
  std::vector<std::string> texts;
  for (const auto& [code, count] : totals.faults) {
    texts.push_back(fmt::format("{} {}", code, base::with_thousands(count)));
  }
  return texts.empty()
             ? ""
             : fmt::format("cannot be asked: {} (--validate names them)\n",
                           base::join(texts, ", "));
}

std::string estimate_text(const Totals& totals) {
  base::Table table("lrrrrrrl");
  table.add_row(
      {"model", "records", "in", "out", "low", "expected", "high", ""});
  for (const auto& [name, estimate] : totals.models) {
    table.add_row(row(name, estimate));
  }
  table.add_row(row("all", totals.all));
  table.add_row(row("all on the strongest", totals.strongest));
  table.add_row(row("all on the cheapest", totals.cheapest));
  return table.render() +
         "low and high: answers of half and twice the expected length; "
         "nothing was sent\n" +
         fault_line(totals);
}

void write(base::JsonWriter& json, const std::string& name,
           const Estimate& it) {
  json.key(name).begin_object().field("records", it.records);
  json.field("unknown_price", it.unpriced);
  json.field("input", it.input_tokens).field("output", it.output_tokens);
  const bool known = it.unpriced < it.records;
  const auto usd = [&](const char* key, Money money) {
    core::write_usd(json, key, known ? std::optional(money) : std::nullopt);
  };
  usd("low_usd", it.low);
  usd("expected_usd", it.expected);
  usd("high_usd", it.high);
  json.end_object();
}

std::string estimate_json(const Totals& totals) {
  base::JsonWriter json;
  json.begin_object().field("schema", "llmroute.estimate/1");
  json.key("models").begin_object();
  for (const auto& [name, estimate] : totals.models) {
    write(json, name, estimate);
  }
  json.end_object();
  write(json, "all", totals.all);
  write(json, "strongest", totals.strongest);
  write(json, "cheapest", totals.cheapest);
  json.key("faults").begin_object();
  for (const auto& [code, count] : totals.faults) json.field(code, count);
  json.end_object();
  return json.end_object().take() + "\n";
}

}  // namespace

Result<ExitStatus> estimate_batch(const BatchOptions& options,
                                  const Routed& routed,
                                  batch::InputLines& lines,
                                  const Messages& messages) {
  Estimator estimator(options, routed, messages);
  LLMROUTE_TRY(const Totals totals, estimator.run(lines));
  if (!options.validate) {
    LLMROUTE_CHECK(print_document(options.format == Format::kJson
                                      ? estimate_json(totals)
                                      : estimate_text(totals)));
    return ExitStatus::kOk;
  }
  const int64_t bad = count_faults(totals);
  if (bad == 0) return ExitStatus::kOk;
  return base::Error{
      base::ErrorKind::kData,
      fmt::format("{} of {} records cannot be asked", base::with_thousands(bad),
                  base::with_thousands(bad + totals.all.records))};
}

}  // namespace llmroute::app
