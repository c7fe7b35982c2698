// Nodes that passed check_value() -> values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/document.h"
#include "config/layer.h"
#include "config/names.h"

namespace llmroute::config {

base::Status assign(std::string& out, const Node& node);
base::Status assign(bool& out, const Node& node);
base::Status assign(double& out, const Node& node);
base::Status assign(std::optional<double>& out, const Node& node);
base::Status assign(std::optional<int64_t>& out, const Node& node);
// One string is a list of one.
base::Status assign(std::vector<std::string>& out, const Node& node);
base::Status assign(std::chrono::milliseconds& out, const Node& node);

// Fails if there is a complaint.
base::Status complain(const Setting& setting, const Node& node,
                      const Complaint& complaint);
// The same for a string, or each string of a list.
base::Status complain_each(const Setting& setting, const Node& node,
                           Complaint (*check)(std::string_view));

}  // namespace llmroute::config
