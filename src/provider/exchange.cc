#include "provider/exchange.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/text.h"
#include "provider/failure.h"
#include "provider/rate_limit.h"

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;

constexpr std::string_view kBlank = " \t\r\n";

bool is_html(const ResponseHead& head) {
  return base::to_lower_ascii(head.find("content-type").value_or(""))
      .starts_with("text/html");
}

// An encoding that was not asked for; "" if there is none.
std::string encoding(const ResponseHead& head) {
  for (const auto& [name, value] : head.headers) {
    const bool transfer = name == "transfer-encoding";
    if (!transfer && name != "content-encoding") continue;
    const std::string lower = base::to_lower_ascii(value);
    const bool asked_for = lower.empty() || lower == "identity" ||
                           (transfer && lower == "chunked");
    if (!asked_for) return value;
  }
  return {};
}

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // of byte order

// One before events is theirs to drop.
void drop_mark_of_document(std::string_view& bytes) {
  if (!bytes.starts_with(kMark)) return;
  const size_t at = bytes.find_first_not_of(kBlank, kMark.size());
  if (bytes[at] == '{' || bytes[at] == '[') bytes.remove_prefix(at);
}

// Whether what comes after a mark is not there yet.
bool may_be_mark(std::string_view bytes) {
  if (kMark.starts_with(bytes)) return true;
  return bytes.starts_with(kMark) &&
         bytes.find_first_not_of(kBlank, kMark.size()) ==
             std::string_view::npos;
}

}  // namespace

bool Exchange::refuse(std::string_view cause, std::string message) {
  failure_ = protocol_failure(cause, std::move(message));
  return false;
}

bool Exchange::on_head(const ResponseHead& head) {
  head_ = head;
  head_seen_ = true;
  const std::string coded = encoding(head);
  if (head.status / 100 != 2) {
    body_ = Body::kError;
    return head.status / 100 != 3 && coded.empty();
  }
  if (!coded.empty()) {
    return refuse("encoded body", "the body is encoded (" + coded +
                                      "), which was not asked for");
  }
  if (is_html(head)) {
    return refuse("wrong type",
                  "the reply is a web page: a login page or a wrong base_url");
  }
  return true;
}

bool Exchange::on_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (body_ == Body::kError) return take_error(bytes);
  if (answer_.complete) return true;
  if (body_bytes_ > kMaxBodyBytes) {
    return refuse("body too large", "the reply is over 64 MiB");
  }
  if (!choose_body(bytes)) return !failure_;
  return decode(bytes) && !failed();
}

bool Exchange::take_error(std::string_view bytes) {
  if (held_.size() < kMaxErrorBytesKept) {
    held_ += bytes.substr(0, kMaxErrorBytesKept - held_.size());
  }
  return body_bytes_ < kMaxErrorBytesRead;
}

// A server may answer with a document although a stream was asked for, and the
// other way round; blank lines before it keep the connection alive and are
// dropped. The first byte tells. False: nothing to decode yet, or a failure.
bool Exchange::choose_body(std::string_view& bytes) {
  if (body_ != Body::kUnknown) return true;
  const size_t first = bytes.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return false;
  bytes.remove_prefix(first);
  if (!mark_.empty() || may_be_mark(bytes)) {
    mark_ += bytes;
    if (may_be_mark(mark_)) return false;
    bytes = mark_;
  }
  drop_mark_of_document(bytes);
  const char c = bytes.front();
  if (c == '<') {
    return refuse("wrong type", "the reply is a web page, not JSON");
  }
  const bool json = c == '{' || c == '[';
  if (!json) {
    body_ = Body::kEvents;
  } else if (decoder_.framing() == Decoder::Framing::kLines) {
    body_ = Body::kLines;
  } else {
    body_ = Body::kDocument;
  }
  return true;
}

bool Exchange::decode(std::string_view bytes) {
  switch (body_) {
    case Body::kEvents:
      return fed(events_.feed(
          bytes, [this](const StreamEvent& event) { return on_event(event); }));
    case Body::kLines:
      return fed(lines_.feed(bytes, [this](std::string_view line, bool cut) {
        return on_data(line, cut);
      }));
    case Body::kDocument:
      answer_.has_content = true;
      held_ += bytes;
      return true;
    case Body::kUnknown:
    case Body::kError:
      break;
  }
  return false;
}

bool Exchange::fed(Fed result) {
  if (result == Fed::kTooLarge) {
    return refuse("event too large", "one event of the stream is over 8 MiB");
  }
  return true;
}

bool Exchange::on_event(const StreamEvent& event) {
  if (event.error.empty() && event.name != "error") {
    return on_data(base::trim(event.data), event.unterminated);
  }
  answer_.error =
      read_error_body(event.error.empty() ? event.data : event.error);
  return false;
}

bool Exchange::on_data(std::string_view data, bool unterminated) {
  if (data == "[DONE]") {
    decoder_.on_done(answer_);
    return !decided();
  }
  // Several texts on one line are taken one by one.
  while (body_ == Body::kLines) {
    const auto extent = base::json_extent(data);
    if (!extent || *extent == data.size()) break;
    if (!on_json(data.substr(0, *extent), false)) return false;
    data = base::trim(data.substr(*extent));
  }
  return on_json(data, unterminated);
}

bool Exchange::on_json(std::string_view data, bool unterminated) {
  if (const auto text = repeated_.text_of(data); text && !unterminated) {
    answer_.text += *text;
    return true;
  }
  const size_t before = answer_.text.size();
  take_json(data, unterminated);
  if (decided()) return false;
  // Pieces of a tool call add up, so an event with one is never the same twice.
  if (answer_.tool_calls.empty()) {
    repeated_.learn(data, std::string_view(answer_.text).substr(before));
  } else {
    repeated_.forget();
  }
  return true;
}

void Exchange::take_json(std::string_view data, bool unterminated) {
  const auto json = base::read_json(data);
  if (json) {
    repaired_ = repaired_ || json->repaired;
    if (is_error(json->root)) {
      answer_.error = read_error(json->root);
    } else {
      decoder_.on_event(json->root, unterminated, answer_);
    }
  } else if (!unterminated) {
    failure_ = cut_stream();
    failure_->cause = "malformed stream";
    failure_->message = "an event of the stream is not valid JSON";
  }
}

// Without the reasoning.
std::string Exchange::answer_text(std::string piece) {
  return decoder_.thinks_in_text() ? think_filter_.feed(piece) : piece;
}

// Hands over what was decoded since the last time.
bool Exchange::deliver() {
  if (sink_closed_) return true;
  if (answer_.text.empty()) {
    const bool sign = answer_.has_content && body_ != Body::kDocument;
    return begun_ || !sign || hand_over({});
  }
  const std::string piece = answer_text(joiner_.add(answer_.text));
  answer_.text.clear();
  if (piece.empty()) return begun_ || hand_over({});
  sink_closed_ = text_.size() + piece.size() > kMaxAnswerBytes;
  if (sink_closed_) {
    return refuse("answer too large", "the answer is over 16 MiB");
  }
  text_ += piece;
  return hand_over(piece);
}

// What may have been the beginning of something else.
void Exchange::deliver_rest() {
  const std::string rest =
      answer_text(joiner_.finish()) + think_filter_.finish();
  if (rest.empty() || sink_closed_) return;
  text_ += rest;
  hand_over(rest);
}

bool Exchange::hand_over(std::string_view piece) {
  begun_ = true;
  if (on_text_(piece)) return true;
  sink_closed_ = true;
  failure_ = Failure{};
  failure_->kind = FailureClass::kCancelled;
  failure_->cause = "cancelled";
  failure_->message = "the answer is no longer wanted";
  failure_->sent = true;
  return false;
}

// The response ended cleanly.
void Exchange::end_body() {
  switch (body_) {
    case Body::kEvents:
      fed(events_.finish(
          [this](const StreamEvent& event) { return on_event(event); }));
      break;
    case Body::kLines:
      fed(lines_.finish([this](std::string_view line, bool cut) {
        return on_data(line, cut);
      }));
      break;
    case Body::kDocument:
      end_document();
      break;
    case Body::kUnknown:
      refuse("empty reply",
             fmt::format("HTTP {} without a body", head_.status));
      break;
    case Body::kError:
      break;
  }
  if (answer_.may_end && !failed()) answer_.complete = true;
}

void Exchange::end_document() {
  const auto json = base::read_json(held_);
  if (!json) {
    failure_ = base::json_extent(held_)
                   ? protocol_failure("bad json", "the reply is not valid JSON")
                   : cut_stream();
  } else if (is_error(json->root)) {
    answer_.error = read_error(json->root);
  } else {
    repaired_ = json->repaired;
    decoder_.on_document(json->root, answer_);
  }
}

std::optional<Failure> Exchange::final_failure(
    std::optional<Failure> transport) const {
  if (failure_) return failure_;
  if (answer_.error)
    return failure_of_error(head_, *answer_.error, base::wall_now());
  if (!answer_.nonsense.empty()) {
    return protocol_failure("bad reply", answer_.nonsense);
  }
  if (answer_.complete) return std::nullopt;
  const bool cancelled =
      transport && transport->kind == FailureClass::kCancelled;
  if (body_ == Body::kError && !cancelled) {
    // The status has been told, whatever became of the body.
    return failure_of_status(head_, held_, base::wall_now());
  }
  return transport ? transport : cut_stream();
}

core::Reply Exchange::reply() {
  core::Reply reply;
  reply.text = std::move(text_);
  reply.finish = answer_.finish;
  reply.usage = answer_.usage;
  reply.tool_calls = answer_.tool_calls.take();
  const bool calls = !reply.tool_calls.empty();
  if (calls && reply.finish == core::Finish::kStop) {
    reply.finish = core::Finish::kToolCalls;
  }
  // An answer that cost nothing is not believed: the count is missing.
  if (reply.usage.output == 0 && (calls || !reply.text.empty())) {
    reply.usage.output.reset();
  }
  reply.served_model = std::move(answer_.served_model);
  reply.request_id = request_id(head_);
  reply.http_status = head_.status;
  reply.rate_limit = read_rate_limit(head_, base::wall_now());
  reply.repaired_utf8 = repaired_ || joiner_.repaired();
  return reply;
}

void Exchange::check_calls() {
  if (failed()) return;
  if (answer_.tool_calls.any_nameless()) {
    answer_.nonsense = "the reply calls a tool without a name";
  } else if (answer_.tool_calls.bytes() > kMaxAnswerBytes) {
    refuse("answer too large", "the answer is over 16 MiB");
  }
}

std::string Exchange::refused_parameter() const {
  if (answer_.error) return provider::refused_parameter(*answer_.error);
  if (head_.status != 400 && head_.status != 422) return {};
  return provider::refused_parameter(read_error_body(held_));
}

CallResult Exchange::finish(std::optional<Failure> transport) {
  if (!transport && !decided() && body_ != Body::kError) end_body();
  deliver();
  check_calls();
  if (!failed() && answer_.complete) deliver_rest();
  auto failure = final_failure(std::move(transport));
  if (!failure) return reply();
  if (failure->http_status == 0) failure->http_status = head_.status;
  if (failure->request_id.empty()) failure->request_id = request_id(head_);
  failure->bytes_streamed = text_.size();
  return std::move(*failure);
}

}  // namespace llmroute::provider
