// A JSON request body whose top-level fields can still be replaced, renamed and
// dropped; and the address it goes to.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/prompt.h"

namespace llmroute::provider {

// Fields keep the order in which they were first set.
class RequestBody {
 public:
  // `json` is valid JSON. Replaces a field of that name.
  RequestBody& set(std::string_view name, std::string json);
  RequestBody& set_text(std::string_view name, std::string_view text);
  RequestBody& set_number(std::string_view name, double number);
  RequestBody& set_number(std::string_view name, int64_t number);
  RequestBody& set_flag(std::string_view name, bool flag);
  RequestBody& set_texts(std::string_view name,
                         const std::vector<std::string>& texts);
  // -O name=value: the value as it is if it is JSON, else as a string.
  void set_extra(const core::Parameters& parameters);

  // The JSON object.
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// `text` as part of a URL's path: what is not plain there is percent-encoded.
// Slashes and colons stay.
std::string url_path(std::string_view text);

// Joins a base URL and a path as users give them: the base with or without the
// version ("/v1"), which `path` begins with, or as the whole address already.
// A base with another path of its own stands for the version if `own_version`.
std::string join_url(std::string_view base, std::string_view version,
                     std::string_view path, bool own_version);

}  // namespace llmroute::provider
