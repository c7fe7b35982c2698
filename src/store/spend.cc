#include "store/spend.h"

#include <array>

#include "store/columns.h"
#include "store/owner.h"

namespace llmroute::store {
namespace {

using base::Result;

std::string expression(Grouping grouping) {
  if (grouping != Grouping::kTag) return std::string(grouping_name(grouping));
  return "coalesce(tag.key||'='||tag.value,'')";
}

std::string spending_sql(const std::vector<Grouping>& by) {
  std::string keys, places, from = "daily";
  for (size_t i = 0; i < by.size(); ++i) {
    keys += expression(by[i]) + ",";
    places += (i == 0 ? "" : ",") + std::to_string(i + 1);
    if (by[i] == Grouping::kTag) from += " LEFT JOIN json_each(tags) AS tag";
  }
  std::string sums;
  Spend none;
  each_spend_column(none, [&](std::string_view name, int64_t) {
    sums.append(sums.empty() ? "" : ",");
    sums.append("coalesce(sum(").append(name).append("),0)");
  });
  std::string sql =
      "SELECT " + keys + sums + " FROM " + from + " WHERE day BETWEEN ? AND ?";
  if (!by.empty()) sql += " GROUP BY " + places + " ORDER BY " + places;
  return sql;
}

}  // namespace

void add(Spend& sum, const Spend& other, int sign) {
  std::array<int64_t, sizeof(Spend) / sizeof(int64_t)> amounts{};
  size_t next = 0;
  each_spend_column(other, [&](std::string_view, int64_t amount) {
    amounts[next++] = amount;
  });
  next = 0;
  each_spend_column(sum, [&](std::string_view, int64_t& amount) {
    amount = saturating_add(amount, sign * amounts[next++]);
  });
}

Spend spend_of(const AttemptRow& row) {
  Spend spend;
  const bool answered = row.state == "answered";
  const bool tokens = answered && row.input_tokens && row.output_tokens;
  const bool priced = row.cost_pico || row.likely_pico;
  const bool counted = tokens && priced;
  const bool compared =
      answered && priced && row.strongest_pico && row.cheapest_pico;
  spend.calls = 1;
  spend.answered = answered ? 1 : 0;
  spend.ms = row.ms.value_or(0);
  if (tokens) {
    spend.input_tokens = *row.input_tokens;
    spend.cached_tokens = row.cached_tokens.value_or(0);
    spend.cache_write_tokens = row.cache_write_tokens.value_or(0);
    spend.output_tokens = *row.output_tokens;
  }
  spend.cost_pico = row.cost_pico.value_or(0);
  spend.charged_pico = row.charged_pico;
  const int64_t cost = row.cost_pico.value_or(row.likely_pico.value_or(0));
  spend.likely_pico = row.cost_pico ? 0 : cost;
  spend.unknown = row.cost_pico ? 0 : 1;
  spend.estimated = row.charged_as == "estimated" ? 1 : 0;
  spend.orphans = row.state == "orphan" ? 1 : 0;
  spend.compared = compared ? 1 : 0;
  spend.strongest_pico = compared ? *row.strongest_pico : 0;
  spend.cheapest_pico = compared ? *row.cheapest_pico : 0;
  spend.compared_pico = compared || !answered ? cost : 0;
  spend.counted = counted ? 1 : 0;
  spend.counted_pico = counted || !answered ? cost : 0;
  return spend;
}

std::string_view grouping_name(Grouping grouping) {
  switch (grouping) {
    case Grouping::kDay:
      return "day";
    case Grouping::kModel:
      return "model";
    case Grouping::kProvider:
      return "provider";
    case Grouping::kRoute:
      return "route";
    case Grouping::kProfile:
      return "profile";
    case Grouping::kTag:
      return "tag";
  }
  return "";
}

Result<std::vector<SpendRow>> spending(Database& database,
                                       const std::vector<Grouping>& by,
                                       const std::string& first,
                                       const std::string& last) {
  LLMROUTE_TRY(Statement statement, database.prepare(spending_sql(by)));
  statement.bind(0, first).bind(1, last);
  std::vector<SpendRow> rows;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return rows;
    Reader reader(statement);
    SpendRow& row = rows.emplace_back();
    for (size_t i = 0; i < by.size(); ++i) reader("", row.keys.emplace_back());
    each_spend_column(row.spend, reader);
  }
}

Result<HeldSums> held(Database& database) {
  LLMROUTE_TRY(
      Statement statement,
      database.prepare("SELECT owner, count(*), sum(charged_pico) FROM"
                       " attempts_apart WHERE state='held' GROUP BY owner"));
  HeldSums sums;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return sums;
    const bool alive = may_be_alive(statement.text(0));
    (alive ? sums.calls : sums.dead_calls) += statement.integer(1);
    (alive ? sums.pico : sums.dead_pico) += statement.integer(2);
  }
}

Result<ScopeSums> scope_sums(Database& database, const std::string& name) {
  LLMROUTE_TRY(Statement statement,
               database.prepare("SELECT settled_pico, held_pico FROM scopes "
                                "WHERE name=?"));
  LLMROUTE_TRY(const bool found, statement.bind(0, name).step());
  if (!found) return ScopeSums{};
  return ScopeSums{statement.integer(0), statement.integer(1)};
}

}  // namespace llmroute::store
