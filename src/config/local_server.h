// OLLAMA_HOST, the variable by which Ollama's own programs find its server.
// Forms: "host", "host:port", ":port", "[::1]:port", or a URL with http or
// https. Port 11434 unless given or implied by https. A wildcard address, which
// a server listens on, becomes the loopback address, which a client connects
// to. Source: Ollama's envconfig, function Host.
#pragma once

#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"

namespace llmroute::config {

// The base URL that a value of OLLAMA_HOST means. kConfig, naming the variable,
// if it means none.
base::Result<std::string> local_server_url(std::string_view value);

// Points the provider "ollama" to where OLLAMA_HOST says, if it is set. That
// the user named the host makes plain http to it acceptable; the provider
// needs no key. On another machine it is no longer tagged "local".
base::Status apply_local_server(core::Config& config,
                                const base::Environment& environment);

}  // namespace llmroute::config
