#include "config/local_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/url.h"

namespace llmroute::config {
namespace {

constexpr std::string_view kPort = ":11434";

bool has_port(std::string_view host) {
  const size_t bracket = host.find(']');
  const size_t from = bracket == std::string_view::npos ? 0 : bracket;
  return host.find(':', from) != std::string_view::npos;
}

// "host:port" with what is missing filled in.
std::string complete(std::string_view host, bool port_implied) {
  std::string out(host);
  const bool no_host = out.starts_with(':') && !out.starts_with("::");
  if (out.empty() || no_host) out.insert(0, "127.0.0.1");
  const bool bare_ipv6 =
      std::count(out.begin(), out.end(), ':') > 1 && out.front() != '[';
  if (bare_ipv6) out = "[" + out + "]";
  if (!has_port(out) && !port_implied) out += kPort;
  return out;
}

}  // namespace

base::Result<std::string> local_server_url(std::string_view value) {
  std::string_view rest = base::trim(value);
  std::string scheme = "http://";
  bool given = false;
  for (const std::string_view known : {"http://", "https://"}) {
    if (!rest.starts_with(known)) continue;
    scheme = known;
    rest.remove_prefix(known.size());
    given = true;
  }
  const std::string_view host = rest.substr(0, rest.find('/'));
  const std::string_view path = rest.substr(host.size());
  base::Result<base::Url> url =
      base::parse_url(scheme + complete(host, given) + std::string(path));
  if (!url) {
    return base::Error{base::ErrorKind::kConfig,
                       "OLLAMA_HOST: " + url.error().message};
  }
  if (url->host == "0.0.0.0") url->host = "127.0.0.1";
  if (url->host == "::") url->host = "::1";
  return url->text();
}

base::Status apply_local_server(core::Config& config,
                                const base::Environment& environment) {
  const std::optional<std::string> value = environment.get("OLLAMA_HOST");
  const auto ollama =
      std::find_if(config.providers.begin(), config.providers.end(),
                   [](const core::Provider& p) { return p.name == "ollama"; });
  if (!value || ollama == config.providers.end()) return {};
  LLMROUTE_TRY(ollama->base_url, local_server_url(*value));
  const auto url = base::parse_url(ollama->base_url);
  if (!url->is_loopback()) {
    ollama->allow_http = ollama->keyless();
    std::erase(ollama->tags, "local");
  }
  config.values.push_back({"providers.ollama.base_url",
                           fmt::format("\"{}\"", ollama->base_url),
                           "OLLAMA_HOST"});
  return {};
}

}  // namespace llmroute::config
