// By what a report on spending is grouped.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmroute::store {

// A call with several tags counts with each; one without any has the tag "".
enum class Grouping : uint8_t {
  kDay,
  kModel,
  kProvider,
  kRoute,
  kProfile,
  kTag,
};
inline constexpr Grouping kGroupings[] = {Grouping::kDay,      Grouping::kModel,
                                          Grouping::kProvider, Grouping::kRoute,
                                          Grouping::kProfile,  Grouping::kTag};

std::string_view grouping_name(Grouping grouping);

}  // namespace llmroute::store
