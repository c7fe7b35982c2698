#include "provider/request_body.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_text.h"
#include "base/json_writer.h"

namespace llmroute::provider {
namespace {

template <class Value>
std::string as_json(const Value& value) {
  base::JsonWriter json;
  json.value(value);
  return json.take();
}

// Whether there is a path after the host.
bool has_path(std::string_view url) {
  const size_t host = url.find("://");
  const size_t from = host == std::string_view::npos ? 0 : host + 3;
  return url.find('/', from) != std::string_view::npos;
}

}  // namespace

RequestBody& RequestBody::set(std::string_view name, std::string json) {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(),
                   [name](const auto& field) { return field.first == name; });
  if (found != fields_.end()) {
    found->second = std::move(json);
  } else {
    fields_.emplace_back(name, std::move(json));
  }
  return *this;
}

RequestBody& RequestBody::set_text(std::string_view name,
                                   std::string_view text) {
  return set(name, as_json(text));
}

RequestBody& RequestBody::set_number(std::string_view name, double number) {
  return set(name, as_json(number));
}

RequestBody& RequestBody::set_number(std::string_view name, int64_t number) {
  return set(name, as_json(number));
}

RequestBody& RequestBody::set_flag(std::string_view name, bool flag) {
  return set(name, as_json(flag));
}

RequestBody& RequestBody::set_texts(std::string_view name,
                                    const std::vector<std::string>& texts) {
  base::JsonWriter json;
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  return set(name, json.end_array().take());
}

void RequestBody::set_extra(const core::Parameters& parameters) {
  for (const auto& [name, value] : parameters.extra) {
    if (base::read_json(value)) {
      set(name, value);
    } else {
      set_text(name, value);
    }
  }
}

std::string RequestBody::text() const {
  base::JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : fields_) json.key(name).raw(value);
  return json.end_object().take();
}

std::string url_path(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/:@";
  std::string path;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      path += c;
    } else {
      path += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return path;
}

std::string join_url(std::string_view base, std::string_view version,
                     std::string_view path, bool own_version) {
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string url(base);
  if (base.ends_with(path)) return url;
  const bool versioned =
      base.ends_with(version) || (own_version && has_path(base));
  if (!versioned) url += version;
  return url += path;
}

}  // namespace llmroute::provider
