// HTTP/1.1 requests, read as they came: header names, order and repetitions are
// kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stub/connection.h"

namespace llmroute::stub {

using Header = std::pair<std::string, std::string>;

struct Request {
  std::string method;
  std::string target;  // as sent, with its query
  std::string path;    // the target without its query
  int minor_version = 1;
  std::vector<Header> headers;
  std::string body;

  // Value of the first header of that name, in any letter case.
  const std::string* header(std::string_view name) const;
  bool keep_alive() const;
};

// Reads one request after another from a connection; what is read ahead is
// kept for the next. Head at most 4 MiB, body at most 512 MiB.
class RequestReader {
 public:
  explicit RequestReader(Connection& connection) : connection_(connection) {}

  // Nothing at the end of the connection, or when what came is no request.
  std::optional<Request> next();

 private:
  bool fill();
  std::optional<std::string> take_line(size_t limit);
  bool take_bytes(std::string& into, size_t count);
  bool read_chunked(std::string& body);
  bool read_body(Request& request);

  Connection& connection_;
  std::string buffer_;
};

}  // namespace llmroute::stub
