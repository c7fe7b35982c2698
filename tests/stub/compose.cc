#include "stub/compose.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <iterator>
#include <numbers>

#include "base/text.h"
#include "stub/offline_model.h"

namespace llmroute::stub {
namespace {

using base::JsonWriter;

constexpr std::string_view kHtml =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>"
    "<h1>Welcome to the network</h1></body></html>\n";

struct Content {
  std::vector<Piece> body;
  std::string type = "application/json";
  std::optional<Usage> usage;
  bool streamed = false;
};

Content text_content(std::string body, std::string type = "application/json") {
  Content content;
  content.body.push_back({std::move(body)});
  content.type = std::move(type);
  return content;
}

std::string models_json(const Settings& settings, bool anthropic_form) {
  JsonWriter json;
  json.begin_object().field("object", "list").key("data").begin_array();
  for (const std::string& model : settings.models) {
    json.begin_object().field("id", model);
    if (anthropic_form) {
      json.field("type", "model").field("display_name", model);
      json.field("created_at", "2026-01-01T00:00:00Z").end_object();
    } else {
      json.field("object", "model").field("created", 1'750'000'000);
      json.field("owned_by", "stub").end_object();
    }
  }
  json.end_array();
  if (anthropic_form) json.field("has_more", false);
  return json.end_object().take();
}

std::string tags_json(const Settings& settings) {
  JsonWriter json;
  json.begin_object().key("models").begin_array();
  for (const std::string& model : settings.models) {
    json.begin_object().field("name", model).field("model", model);
    json.field("modified_at", "2026-01-01T00:00:00Z").field("size", 1 << 20);
    json.key("details").begin_object().field("family", "stub");
    json.field("parameter_size", "0").field("quantization_level", "none");
    json.end_object().end_object();
  }
  return json.end_array().end_object().take();
}

// The fixed documents; nothing for another path.
std::optional<Content> listing(const Request& request,
                               const Settings& settings) {
  if (request.method != "GET") return std::nullopt;
  if (request.path == "/v1/models") {
    return text_content(
        models_json(settings, request.header("anthropic-version") != nullptr));
  }
  if (request.path == "/api/tags") return text_content(tags_json(settings));
  if (request.path == "/api/version") {
    return text_content(R"({"version":"0.0.0-stub"})");
  }
  return std::nullopt;
}

std::string error_body(const Dialect* dialect, ErrorText error,
                       const Reply& reply, const Request& request) {
  if (reply.echo_auth) {
    for (const auto& [name, value] : request.headers) {
      error.message += fmt::format("{}: {} ", name, value);
    }
  }
  return (dialect == nullptr ? openai() : *dialect).error(error);
}

double noise(const Reply& reply, uint64_t random) {
  if (reply.delay_noise <= 0) return 1;
  const double u = 1 - unit_of(mix(random, 1));
  const double v = unit_of(mix(random, 2));
  const double normal =
      std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  return std::exp(reply.delay_noise * normal);
}

int64_t micros(int64_t ms, double factor) {
  return std::llround(static_cast<double>(ms) * 1000 * factor);
}

Content answer_content(const Dialect& dialect, const Request& request,
                       const Ask& ask, const Reply& reply,
                       const Settings& settings, uint64_t number) {
  const Answer answer = make_answer(ask, request, reply, number);
  const double factor = noise(reply, mix(settings.seed, number));
  const bool scripted = reply.text || reply.chunks || reply.chunks_raw ||
                        reply.frames || reply.words != kOff;
  Pace pace{micros(reply.delay_first_ms, factor),
            scripted ? 0 : settings.word_delay_us};
  if (reply.delay_chunk_ms != kOff) {
    pace.between_us = micros(reply.delay_chunk_ms, factor);
  }
  Content content;
  content.streamed = reply.stream.value_or(ask.stream);
  content.usage = answer.usage;
  if (content.streamed) {
    content.type = dialect.stream_type();
    content.body = stream_body(dialect, answer, reply, pace);
  } else {
    content.body = whole_body(dialect, answer, reply);
    content.body.back().delay_us = pace.first_us;
  }
  return content;
}

// The status a rule implies where it names none.
int64_t status_of(const Reply& reply) {
  if (reply.status != kOff) return reply.status;
  if (reply.redirect) return 302;
  return reply.retry_after || reply.retry_after_ms ? 429 : 200;
}

Content make_content(const Request& request, const Ask& ask, const Reply& reply,
                     const Settings& settings, uint64_t number,
                     int64_t& status) {
  const Dialect* dialect = dialect_of(request, reply);
  if (reply.wrong_type) {
    const bool given = *reply.wrong_type != "true";
    return text_content(given ? *reply.wrong_type : std::string(kHtml),
                        "text/html; charset=utf-8");
  }
  if (reply.raw) {
    const bool sse = dialect != nullptr && ask.stream && status == 200;
    return text_content(*reply.raw, sse ? std::string(dialect->stream_type())
                                        : "application/json");
  }
  if (status < 300 && (dialect != nullptr || reply.frames)) {
    if (dialect == nullptr) dialect = &openai();
    if (ask.refused.empty() || reply.frames) {
      return answer_content(*dialect, request, ask, reply, settings, number);
    }
    status = 400;
    return text_content(dialect->error({400, ask.refused, "", ""}));
  }
  if (status < 300) {
    if (auto document = listing(request, settings)) return *document;
    status = 404;
  }
  ErrorText error = reply.error;
  error.status = status;
  if (status == 404 && reply.status == kOff) {
    error.message = "the stub does not know " + request.path;
  }
  return text_content(error_body(dialect, error, reply, request));
}

std::string_view reason_of(int64_t status) {
  switch (status) {
    case 200:
      return "OK";
    case 302:
      return "Found";
    case 404:
      return "Not Found";
    case 429:
      return "Too Many Requests";
    default:
      return status < 400 ? "Fine" : "Stub Error";
  }
}

class Head {
 public:
  explicit Head(const Reply& reply) : reply_(reply) {
    for (const std::string& name : reply.dropped_headers) {
      dropped_.push_back(base::to_lower_ascii(name));
    }
  }

  // Unless the rule gives or drops a header of that name.
  void add(std::string_view name, std::string_view value) {
    const std::string lower = base::to_lower_ascii(name);
    for (const std::string& dropped : dropped_) {
      if (dropped == lower) return;
    }
    text_ += fmt::format("{}: {}\r\n", name, value);
  }

  void start(int64_t status) {
    for (const int64_t interim : reply_.interim) {
      text_ += fmt::format("HTTP/1.1 {} Interim\r\n\r\n", interim);
    }
    text_ += fmt::format("HTTP/{} {} {}\r\n", reply_.version.value_or("1.1"),
                         status, reason_of(status));
  }

  void add_scripted() {
    for (const auto& [name, value] : reply_.headers) {
      text_ += fmt::format("{}: {}\r\n", name, value);
    }
    if (reply_.redirect) add("Location", *reply_.redirect);
    if (reply_.retry_after) add("Retry-After", *reply_.retry_after);
    if (reply_.retry_after_ms) add("retry-after-ms", *reply_.retry_after_ms);
    if (reply_.encoded) {
      add("Content-Encoding",
          *reply_.encoded == "true" ? "gzip" : *reply_.encoded);
    }
    if (reply_.huge_header != kOff) {
      add("x-huge", std::string(static_cast<size_t>(reply_.huge_header), 'h'));
    }
    for (int64_t i = 0; i < reply_.many_headers; ++i) {
      add(fmt::format("x-many-{}", i), "1");
    }
  }

  std::string take() { return std::move(text_) + "\r\n"; }

 private:
  const Reply& reply_;
  std::vector<std::string> dropped_;
  std::string text_;
};

int64_t body_size(const std::vector<Piece>& body) {
  int64_t size = 0;
  for (const Piece& piece : body) {
    size += piece.repeat * std::ssize(piece.bytes);
  }
  return size;
}

Framing framing_of(const Request& request, const Reply& reply,
                   const Content& content) {
  if (reply.framing) return *reply.framing;
  if (reply.length_long != kOff || reply.length_short != kOff) {
    return Framing::kLength;
  }
  if (request.minor_version == 0 || reply.version == "1.0") {
    return Framing::kClose;
  }
  const bool big = body_size(content.body) > (64 << 20);
  const bool chunked = content.streamed || big || reply.bad_chunk;
  return chunked ? Framing::kChunked : Framing::kLength;
}

int64_t declared_length(const std::vector<Piece>& body, const Reply& reply) {
  int64_t size = body_size(body);
  if (reply.length_long != kOff) size += reply.length_long;
  if (reply.length_short != kOff) size -= reply.length_short;
  return std::max<int64_t>(size, 0);
}

std::string head_of(const Request& request, const Reply& reply,
                    const Plan& plan, const std::string& type,
                    uint64_t number) {
  if (reply.raw_head) return *reply.raw_head;
  const Dialect* dialect = dialect_of(request, reply);
  Head head(reply);
  head.start(plan.status);
  head.add("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                               fmt::gmtime(std::time(nullptr))));
  head.add("Server", "llmroute-stub");
  head.add("Content-Type", reply.content_type.value_or(type));
  head.add(dialect == nullptr ? "x-request-id" : dialect->request_id_header(),
           fmt::format("req_{:08}", number));
  if (plan.framing == Framing::kChunked || reply.both_lengths) {
    head.add("Transfer-Encoding", "chunked");
  }
  if (plan.framing == Framing::kLength || reply.both_lengths) {
    head.add("Content-Length",
             std::to_string(declared_length(plan.body, reply)));
  }
  if (!plan.keep_alive) head.add("Connection", "close");
  head.add_scripted();
  return head.take();
}

}  // namespace

const Dialect* dialect_of(const Request& request, const Reply& reply) {
  return reply.dialect ? dialect_named(*reply.dialect) : dialect_for(request);
}

Plan compose(const Request& request, const Ask& ask, const Reply& reply,
             const Settings& settings, uint64_t number) {
  Plan plan;
  plan.status = status_of(reply);
  Content content =
      make_content(request, ask, reply, settings, number, plan.status);
  plan.framing = framing_of(request, reply, content);
  plan.body = std::move(content.body);
  plan.usage = content.usage;
  plan.streamed = content.streamed;
  plan.keep_alive = request.keep_alive() && plan.framing != Framing::kClose;
  plan.delay_us =
      micros(reply.delay_headers_ms, noise(reply, mix(settings.seed, number)));
  plan.head = head_of(request, reply, plan, content.type, number);
  return plan;
}

}  // namespace llmroute::stub
