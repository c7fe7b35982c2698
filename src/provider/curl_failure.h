// What libcurl's error codes mean for retry, fallback and exit status.
#pragma once

#include <string>

#include "core/reply.h"

namespace llmroute::provider {

// What is known when a transfer has failed.
struct CurlError {
  int code = 0;          // CURLcode
  std::string text;      // libcurl's words
  int os_error = 0;      // errno of the failed connect, 0: none
  int proxy_status = 0;  // of CONNECT, 0: none
  bool head_seen = false;
  bool request_sent = false;
  std::string origin{};  // who was asked: "https://host:port"
};

// REQUIRES: code is not CURLE_OK.
core::Failure curl_failure(const CurlError& error);

}  // namespace llmroute::provider
