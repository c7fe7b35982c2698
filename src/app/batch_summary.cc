#include "app/batch_summary.h"

#include <fmt/format.h>

#include <vector>

#include "base/json_writer.h"
#include "base/table.h"
#include "base/terminal_text.h"
#include "base/text.h"
#include "core/exit_status.h"
#include "core/money_json.h"

namespace llmroute::app {
namespace {

using base::with_thousands;
using core::display_usd;

// Of a sum over `count` things: nothing if none of it is known.
std::optional<core::Money> known(core::Money sum, int64_t unknown,
                                 int64_t count) {
  const bool nothing = unknown > 0 && unknown >= count && sum.pico == 0;
  return nothing ? std::nullopt : std::optional(sum);
}

std::string counts_line(const BatchTotals& totals,
                        std::chrono::milliseconds took) {
  const double seconds = static_cast<double>(took.count()) / 1e3;
  const int64_t fresh = totals.done() - totals.replayed();
  std::string text =
      fmt::format("{} ok, {} failed", with_thousands(totals.ok()),
                  with_thousands(totals.failed()));
  text += fmt::format(" in {:.1f} s", seconds);
  if (fresh > 0 && seconds > 0) {
    text += fmt::format(", {:.1f}/s", static_cast<double>(fresh) / seconds);
  }
  if (totals.replayed() > 0) {
    text += fmt::format("; {} from earlier runs",
                        with_thousands(totals.replayed()));
  }
  return text;
}

std::string cost_line(const BatchTotals& totals) {
  std::string text =
      fmt::format("{}, {} tokens in, {} out", totals.display_cost(),
                  with_thousands(totals.input_tokens()),
                  with_thousands(totals.output_tokens()));
  if (totals.unpriced() > 0) {
    text += fmt::format("; the cost of {} record{} is not known",
                        with_thousands(totals.unpriced()),
                        totals.unpriced() == 1 ? "" : "s");
  }
  if (totals.estimated() > 0) {
    text += fmt::format("; {} counted at their worst case",
                        with_thousands(totals.estimated()));
  }
  if (totals.lost().pico > 0) {
    text += fmt::format("; {} may have been spent without a result",
                        display_usd(totals.lost()));
  }
  if (totals.replaced().pico > 0) {
    text += fmt::format("; {} for results that were replaced",
                        display_usd(totals.replaced()));
  }
  const core::Money saved = totals.strongest() - totals.compared();
  if (saved.pico > 0 && totals.strongest().pico > 0) {
    text += fmt::format("; {} saved against the strongest model ({:.0f} %)",
                        display_usd(saved),
                        100 * saved.usd() / totals.strongest().usd());
  }
  return text;
}

std::string model_lines(const BatchTotals& totals) {
  base::Table table("lrrrrr");
  table.add_row({"model", "records", "failed", "in", "out", "cost"});
  for (const auto& [name, model] : totals.models()) {
    table.add_row(
        {base::visible_line(name), with_thousands(model.records),
         with_thousands(model.failed), with_thousands(model.input_tokens),
         with_thousands(model.output_tokens),
         core::display_known_usd(model.cost, model.unpriced, model.records)});
  }
  return table.render();
}

std::string duration_text(int64_t ms) {
  return ms < 1000 ? fmt::format("{} ms", ms)
                   : fmt::format("{:.1f} s", static_cast<double>(ms) / 1e3);
}

// An id is as long as its owner likes.
std::string short_id(const std::string& id) {
  constexpr size_t kWidest = 40;
  return base::clip_to_width(base::visible_line(id), kWidest);
}

std::string notable_line(const char* label,
                         const std::vector<NotableRecord>& records,
                         bool by_cost) {
  std::vector<std::string> texts;
  for (const NotableRecord& one : records) {
    if (by_cost && !one.cost) continue;
    texts.push_back(
        fmt::format("{} ({})", short_id(one.id),
                    by_cost ? display_usd(one.cost.value_or(core::Money{}))
                            : duration_text(one.ms)));
  }
  return texts.empty() ? "" : label + base::join(texts, ", ") + "\n";
}

std::string cause_line(const BatchTotals& totals) {
  if (totals.causes().empty()) return "";
  return "failed   " + causes_text(totals.causes()) + "\n";
}

void write_notable(base::JsonWriter& json, const NotableRecord& one,
                   bool timing) {
  constexpr size_t kLongest = 256;
  json.begin_object().field("id", base::clip_to_width(one.id, kLongest));
  json.field("line", one.line).field("model", one.model).key("ms");
  timing ? json.value(one.ms) : json.null();
  core::write_usd(json, "usd", one.cost);
  json.end_object();
}

void write_models(base::JsonWriter& json, const BatchTotals& totals) {
  json.key("models").begin_object();
  for (const auto& [name, model] : totals.models()) {
    json.key(name).begin_object().field("records", model.records);
    json.field("failed", model.failed).field("input", model.input_tokens);
    json.field("output", model.output_tokens);
    core::write_usd(json, "usd",
                    known(model.cost, model.unpriced, model.records));
    json.end_object();
  }
  json.end_object();
}

}  // namespace

std::optional<core::Money> known_cost(const BatchTotals& totals) {
  return known(totals.cost(), totals.unpriced(), totals.done());
}

std::string causes_text(const std::map<std::string, FailureCause>& causes) {
  std::vector<std::string> texts;
  for (const auto& [code, cause] : causes) {
    texts.push_back(
        fmt::format("{} {} ({}line {})", with_thousands(cause.records), code,
                    cause.records > 1 ? "first in " : "", cause.line));
  }
  return base::join(texts, ", ");
}

std::string summary_text(const BatchTotals& totals,
                         std::chrono::milliseconds took, const base::Error* why,
                         bool timing, bool resumable) {
  if (totals.done() == 0 && why == nullptr) return "no records\n";
  std::string text = "records  " + counts_line(totals, took) + "\n";
  text += "cost     " + cost_line(totals) + "\n";
  text += cause_line(totals);
  if (timing) text += notable_line("slowest  ", totals.slowest(), false);
  if (totals.cost().pico > 0) {
    text += notable_line("dearest  ", totals.dearest(), true);
  }
  if (!totals.models().empty()) text += model_lines(totals);
  if (why != nullptr) {
    text += "stopped; ";
    text += !resumable
                ? "with -o or --journal the same command could go on from here"
            : why->kind == base::ErrorKind::kBudget
                ? "the same command with a higher ceiling goes on where it was "
                  "left"
            : why->kind == base::ErrorKind::kData
                ? "once the input is mended, the same command goes on where "
                  "it was left"
                : "the same command goes on where it was left";
    text += '\n';
  }
  return text;
}

std::string summary_json(const BatchTotals& totals,
                         std::chrono::milliseconds took, const base::Error* why,
                         bool timing) {
  base::JsonWriter json;
  json.begin_object().field("schema", "llmroute.batch/1");
  json.field("ok", totals.ok()).field("failed", totals.failed());
  json.field("replayed", totals.replayed());
  json.field("seconds", static_cast<double>(took.count()) / 1e3);
  json.key("usage").begin_object().field("input", totals.input_tokens());
  json.field("output", totals.output_tokens()).end_object();
  json.key("cost").begin_object();
  core::write_usd(json, "usd", known_cost(totals));
  json.field("unknown_records", totals.unpriced());
  json.field("estimated_records", totals.estimated());
  json.key("orphaned_usd").raw(core::format_usd(totals.lost()));
  json.key("replaced_usd").raw(core::format_usd(totals.replaced()));
  core::write_usd(json, "total_usd",
                  known(totals.all(), totals.unpriced(), totals.done()));
  json.key("strongest_usd").raw(core::format_usd(totals.strongest()));
  json.key("compared_usd").raw(core::format_usd(totals.compared()));
  json.end_object();
  write_models(json, totals);
  json.key("causes").begin_object();
  for (const auto& [code, cause] : totals.causes()) {
    json.field(code, cause.records);
  }
  json.end_object();
  const auto write = [timing](base::JsonWriter& to, const NotableRecord& one) {
    write_notable(to, one, timing);
  };
  json.list("slowest", timing ? totals.slowest() : std::vector<NotableRecord>(),
            write);
  json.list("dearest", totals.dearest(), write);
  json.key("stopped");
  if (why == nullptr) {
    json.null();
  } else {
    json.begin_object();
    json.field("code", core::exit_status_code(core::exit_status(why->kind)));
    json.field("message", why->message).end_object();
  }
  return json.end_object().take() + "\n";
}

std::string spent_text(const BatchTotals& totals, core::Money settled,
                       core::Money ceiling) {
  const bool known = totals.estimated() == 0 && totals.unpriced() == 0 &&
                     totals.lost().pico == 0 && totals.cost() == settled;
  return fmt::format("{} of the ceiling of {} are {}spent",
                     display_usd(settled), display_usd(ceiling),
                     known ? "" : "or may be ");
}

}  // namespace llmroute::app
