// Headers of a provider's configuration that hold a secret, by their names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"

namespace llmroute::core {

// Whether a header of this name usually holds a secret.
bool is_secret_header(std::string_view name);

// The values of the provider's secret headers and, where a word such as
// "Bearer" stands before it, the secret alone.
std::vector<std::string> header_secrets(const Provider& provider);

}  // namespace llmroute::core
