// Which model a verdict is on, and what its answer cost: each call lies beside
// its decision or apart (schema.h), and the view of all of them would be read
// whole for each verdict.
#pragma once

#include <string_view>

namespace llmroute::store {

// SELECT of all verdicts: decision, time, domain, difficulty, model (that of
// feedback: that answered last; NULL: none did), score.
inline constexpr std::string_view kVerdicts =
    "SELECT f.decision AS decision, f.time AS time, d.domain AS domain,"
    " d.difficulty AS difficulty, ifnull((SELECT model FROM attempts_apart"
    " WHERE decision=f.decision AND state='answered' ORDER BY number DESC),"
    " CASE d.call_state WHEN 'answered' THEN d.call_model END) AS model,"
    " f.score AS score FROM feedback f JOIN decisions d ON d.id=f.decision"
    " UNION ALL "
    "SELECT v.decision, v.time, d.domain, d.difficulty,"
    " ifnull((SELECT model FROM attempts_apart WHERE decision=v.decision AND"
    " number=v.number), CASE v.number WHEN 1 THEN d.call_model END), v.score"
    " FROM verdicts v JOIN decisions d ON d.id=v.decision";

// What all calls of decision `d` cost, known or likely; NULL: none is.
inline constexpr std::string_view kCostOfAll =
    "(SELECT sum(pico) FROM (SELECT coalesce(d.call_cost_pico,"
    " d.call_likely_pico) AS pico UNION ALL SELECT coalesce(cost_pico,"
    " likely_pico) FROM attempts_apart WHERE decision=d.id))";

}  // namespace llmroute::store
