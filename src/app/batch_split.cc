#include "app/batch_split.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "app/answer_check.h"
#include "app/batch_files.h"
#include "app/batch_output.h"
#include "app/batch_record.h"
#include "app/batch_setup.h"
#include "app/batch_summary.h"
#include "app/input.h"
#include "app/whole_answer.h"
#include "base/text.h"
#include "batch/collect.h"
#include "batch/id_set.h"
#include "batch/split.h"
#include "config/load.h"
#include "provider/tools.h"

namespace llmroute::app {
namespace {

using base::Result;
using base::Status;
using core::ExitStatus;

// One half of the price is what queues charge.
constexpr int64_t kQueueShare = 2;

// Models that no queue of OpenAI's form serves, each told of once.
class Strangers {
 public:
  explicit Strangers(const Messages& messages) : messages_(messages) {}
  void add(const core::Candidate& chosen) {
    const core::Protocol protocol = chosen.provider->protocol;
    if (protocol == core::Protocol::kOpenAiChat ||
        protocol == core::Protocol::kOpenAiResponses ||
        !told_.insert(chosen.model->name).second) {
      return;
    }
    messages_.warn(fmt::format(
        "{} ({}): its requests are written in the form of OpenAI's batch API, "
        "which is not its provider's",
        chosen.model->name, chosen.provider->name));
  }

 private:
  const Messages& messages_;
  std::set<std::string> told_;
};

// Records that are in no file of requests, by code.
struct LeftOut {
  void add(const batch::Record& record, bool of_ceiling) {
    ++records;
    by_ceiling = by_ceiling || of_ceiling;
    FailureCause& cause = causes[record.error->code];
    if (cause.records++ == 0) cause.line = record.line;
  }
  int64_t records = 0;
  bool by_ceiling = false;  // that of the batch
  std::map<std::string, FailureCause> causes;
};

Status split_record(batch::Record record, const BatchOptions& options,
                    const Routed& routed, batch::SplitWriter& writer,
                    Strangers& strangers, LeftOut& left_out) {
  bool of_ceiling = false;
  if (!record.error) {
    const auto decided = decide_record(record, options, routed);
    if (decided) {
      const core::Decision& decision = decided->decision;
      record.prompt =
          apply_template(std::move(record.prompt), decision.prompt_template);
      const core::Candidate& chosen = decision.candidates.front();
      strangers.add(chosen);
      return writer.add(record,
                        {*chosen.model, *chosen.provider, decision.route,
                         std::string(core::source_name(decision.source)),
                         provider::chat_messages_json(record.prompt),
                         provider::chat_form(*chosen.model, *chosen.provider,
                                             record.prompt.parameters)});
    }
    record.error = not_routed(decided.error());
    of_ceiling = is_of_ceiling(record, options, routed, decided.error());
  }
  if (options.strict) return not_asked(record);
  left_out.add(record, of_ceiling);
  return writer.add_unasked(record, batch::unasked(record));
}

}  // namespace

Result<ExitStatus> split_batch(const BatchOptions& options,
                               const Routed& routed, batch::InputLines& lines,
                               const Messages& messages) {
  LLMROUTE_CHECK(check_split(lines.files(), *options.split));
  LLMROUTE_TRY(batch::RecordParser parser, record_parser(options.input, false));
  LLMROUTE_TRY(
      batch::SplitWriter writer,
      batch::SplitWriter::create(*options.split, options.output.force));
  batch::IdSet ids(*options.split);
  Strangers strangers(messages);
  LeftOut left_out;
  int64_t records = 0;
  const auto add = [&](const batch::InputLine& line) -> Status {
    batch::Record record = record_of(line, parser);
    if (!record.error && record.own_id) {
      LLMROUTE_TRY(const bool fresh, ids.insert(record.id));
      if (!fresh) record.error = batch::duplicate_id(record);
    }
    ++records;
    return split_record(std::move(record), options, routed, writer, strangers,
                        left_out);
  };
  LLMROUTE_CHECK(for_each_line(lines, add));
  LLMROUTE_CHECK(writer.finish());
  messages.detail(fmt::format(
      "{} records in {}; put the queues' results there and run: llmroute batch "
      "--collect {}",
      base::with_thousands(records), *options.split, *options.split));
  if (left_out.records == 0) return ExitStatus::kOk;
  messages.warn(fmt::format("{} of {} records are in no file of requests: {}",
                            base::with_thousands(left_out.records),
                            base::with_thousands(records),
                            causes_text(left_out.causes)));
  return left_out.by_ceiling ? ExitStatus::kBudget : ExitStatus::kNegative;
}

Result<ExitStatus> collect_batch(const BatchOptions& options,
                                 const base::Environment& environment,
                                 const Messages& messages) {
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  batch::CollectOptions how;
  if (options.output.form) {
    how.result.form = options.output.form == "openai" ? batch::Form::kOpenAi
                                                      : batch::Form::kNative;
  }
  how.result.extras = options.output.extras;
  how.result.run_id = "collected";
  how.check = [](const core::Parameters& asked,
                 const core::Reply& reply) -> base::Status {
    LLMROUTE_CHECK(whole_answer(reply, asked.max_tokens.has_value(), {}));
    return asked.schema.empty() ? base::Status()
                                : fits_schema(asked.schema, reply);
  };
  how.cost = [&config](const std::string& name,
                       const core::Usage& usage) -> std::optional<core::Money> {
    const core::Model* model = config.find_model(name);
    if (model == nullptr) return std::nullopt;
    auto cost = core::cost_of(*model, usage);
    if (cost) cost->pico /= kQueueShare;
    return cost;
  };
  LLMROUTE_CHECK(check_collect(*options.collect, options.output));
  const auto existing = options.output.force ? batch::ExistingOutput::kReplace
                                             : batch::ExistingOutput::kRefuse;
  LLMROUTE_TRY(BatchOutput output,
               BatchOutput::open(options.output, existing, existing, nullptr));
  LLMROUTE_TRY(const batch::CollectCounts counts,
               batch::collect(*options.collect, how,
                              [&](std::string_view line, bool ok) {
                                return output.write({std::string(line), ok});
                              }));
  const auto published = output.publish();
  if (!published) return published.error();
  if (counts.missing > 0 || counts.stray > 0) {
    messages.warn(fmt::format("{} results are missing, {} belong to no record",
                              base::with_thousands(counts.missing),
                              base::with_thousands(counts.stray)));
  }
  return counts.failed > 0 ? ExitStatus::kNegative : ExitStatus::kOk;
}

}  // namespace llmroute::app
