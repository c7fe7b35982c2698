#include "stub/http.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace llmroute::stub {
namespace {

constexpr size_t kHeadLimit = 4U << 20;
constexpr size_t kBodyLimit = 512U << 20;
constexpr std::chrono::seconds kIdle{600};

bool parse_size(std::string_view text, int radix, size_t& size) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, size, radix);
  return error == std::errc() && at == end && size <= kBodyLimit;
}

// "POST /path?query HTTP/1.1"
bool parse_request_line(const std::string& line, Request& request) {
  const std::vector<std::string> words = base::split(line, ' ');
  if (words.size() != 3 || !words[2].starts_with("HTTP/1.")) return false;
  request.method = words[0];
  request.target = words[1];
  request.path = request.target.substr(0, request.target.find('?'));
  request.minor_version = words[2] == "HTTP/1.0" ? 0 : 1;
  return true;
}

}  // namespace

const std::string* Request::header(std::string_view name) const {
  const std::string wanted = base::to_lower_ascii(name);
  for (const auto& [key, value] : headers) {
    if (base::to_lower_ascii(key) == wanted) return &value;
  }
  return nullptr;
}

bool Request::keep_alive() const {
  const std::string* value = header("connection");
  const std::string lower =
      value == nullptr ? "" : base::to_lower_ascii(*value);
  if (minor_version == 0) return lower == "keep-alive";
  return lower.find("close") == std::string::npos;
}

bool RequestReader::fill() {
  char bytes[65536];
  const size_t got = connection_.read(bytes, sizeof bytes, kIdle);
  buffer_.append(bytes, got);
  return got > 0;
}

std::optional<std::string> RequestReader::take_line(size_t limit) {
  size_t end = buffer_.find('\n');
  while (end == std::string::npos) {
    const size_t seen = buffer_.size();
    if (seen > limit || !fill()) return std::nullopt;
    end = buffer_.find('\n', seen);
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

bool RequestReader::take_bytes(std::string& into, size_t count) {
  while (buffer_.size() < count) {
    if (!fill()) return false;
  }
  into.append(buffer_, 0, count);
  buffer_.erase(0, count);
  return true;
}

bool RequestReader::read_chunked(std::string& body) {
  while (body.size() <= kBodyLimit) {
    const auto line = take_line(kHeadLimit);
    size_t size = 0;
    if (!line || !parse_size(line->substr(0, line->find(';')), 16, size)) {
      return false;
    }
    if (size > 0 && !take_bytes(body, size)) return false;
    const auto end = take_line(kHeadLimit);
    if (!end || !end->empty()) return false;
    if (size == 0) return true;
  }
  return false;
}

bool RequestReader::read_body(Request& request) {
  const std::string* expect = request.header("expect");
  if (expect != nullptr && base::to_lower_ascii(*expect) == "100-continue") {
    if (!connection_.write("HTTP/1.1 100 Continue\r\n\r\n")) return false;
  }
  if (request.header("transfer-encoding") != nullptr) {
    return read_chunked(request.body);
  }
  const std::string* length = request.header("content-length");
  if (length == nullptr) return true;
  size_t size = 0;
  return parse_size(*length, 10, size) && take_bytes(request.body, size);
}

std::optional<Request> RequestReader::next() {
  Request request;
  const auto first = take_line(kHeadLimit);
  if (!first || !parse_request_line(*first, request)) return std::nullopt;
  size_t head = first->size();
  while (true) {
    const auto line = take_line(kHeadLimit);
    if (!line || (head += line->size()) > kHeadLimit) return std::nullopt;
    if (line->empty()) break;
    const size_t colon = line->find(':');
    if (colon == std::string::npos) return std::nullopt;
    request.headers.emplace_back(
        line->substr(0, colon),
        base::trim(std::string_view(*line).substr(colon + 1)));
  }
  if (!read_body(request)) return std::nullopt;
  return request;
}

}  // namespace llmroute::stub
