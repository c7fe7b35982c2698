// Task domains: what a prompt is about, and what a model's abilities are listed
// by. Names and scale as in the public-benchmark fit behind
// models/registry.toml.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace llmroute::core {

inline constexpr size_t kDomainCount = 9;
inline constexpr std::array<std::string_view, kDomainCount> kDomainNames = {
    "code",    "agentic", "math", "reasoning", "knowledge",
    "writing", "chat",    "text", "tools"};

// One number per domain, in the order of kDomainNames.
using PerDomain = std::array<double, kDomainCount>;

// Index of the largest entry.
size_t largest(const PerDomain& values);

// The mean of `values`, weighted by `shares`, which sum to 1.
double mean_over(const PerDomain& shares, const PerDomain& values);

std::optional<size_t> domain_index(std::string_view name);

}  // namespace llmroute::core
