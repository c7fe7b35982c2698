#include "provider/call.h"

#include <new>

#include "core/secret_headers.h"
#include "provider/curl_transport.h"
#include "provider/exec.h"
#include "provider/http_call.h"

namespace llmroute::provider {
namespace {

void hide(std::string& text, const std::string& key) {
  if (key.empty()) return;
  for (size_t at = text.find(key); at != std::string::npos;
       at = text.find(key, at)) {
    text.replace(at, key.size(), "...");
    at += 3;
  }
}

}  // namespace

CallResult call(const Call& call, const TextSink& on_text) {
  if (call.provider.protocol == core::Protocol::kExec) {
    return exec_call(call, on_text);
  }
  return http_call(call, on_text, curl_transport());
}

CallResult call_on_thread(const Call& call, const TextSink& on_text) {
  core::Failure no_memory;
  no_memory.kind = core::FailureClass::kLocal;
  no_memory.cause = "no memory";
  no_memory.message = "no memory is left";
  try {
    return provider::call(call, on_text);
  } catch (const std::bad_alloc&) {
    return no_memory;
  }
}

std::string request_line(const Call& call) {
  if (call.provider.protocol == core::Protocol::kExec) {
    return call.provider.command.empty() ? "" : call.provider.command.front();
  }
  const HttpRequest request = http_request(call);
  std::string line = request.method + " " + request.url;
  hide(line, call.key);
  return line;
}

std::string describe_request(const Call& call) {
  if (call.provider.protocol == core::Protocol::kExec) {
    return describe_exec(call);
  }
  const HttpRequest request = http_request(call);
  std::string text = request.method + " " + request.url + "\n";
  for (const auto& [name, value] : request.headers) {
    std::string shown = value;
    hide(shown, call.key);
    if (shown == value && core::is_secret_header(name)) shown = "...";
    text += name;
    text += ": ";
    text += shown;
    text += '\n';
  }
  text += '\n';
  text += request.body;
  text += '\n';
  return text;
}

}  // namespace llmroute::provider
