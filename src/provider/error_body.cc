#include "provider/error_body.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/utf8.h"
#include "provider/retry_hint.h"

namespace llmroute::provider {
namespace {

constexpr size_t kLongestText = 300;

const Json& unwrap(const Json& body) {
  return body.is_array() ? body.at(0) : body;
}

// The first that is not empty.
template <size_t N>
std::string first_of(const std::array<std::string_view, N>& texts) {
  for (const std::string_view text : texts) {
    if (!text.empty()) return std::string(text);
  }
  return {};
}

// "body.messages: field required" of a validation list.
std::string validation_text(const Json& item) {
  std::string where;
  for (const Json& part : item["loc"].items()) {
    if (!where.empty()) where += '.';
    where += part.text_or_number();
  }
  const std::string_view what = item["msg"].text();
  if (where.empty() || what.empty()) return std::string(what);
  return where + ": " + std::string(what);
}

std::string message_of(const Json& body, const Json& error) {
  std::string said =
      first_of<6>({error["message"].text(), error.text(),
                   body["message"].text(), body["Message"].text(),
                   body["x_groq"]["error"].text(), body["detail"].text()});
  if (!said.empty()) return said;
  std::string invalid = validation_text(body["detail"].at(0));
  if (!invalid.empty()) return invalid;
  return first_of<3>({body["fault"]["faultstring"].text(),
                      body["errors"].at(0)["message"].text(),
                      body["error_description"].text()});
}

std::string param_of(const Json& body, const Json& error) {
  std::string named =
      first_of<2>({error["param"].text(), body["param"].text()});
  if (!named.empty()) return named;
  const auto& place = body["detail"].at(0)["loc"].items();
  return place.empty() ? "" : std::string(place.back().text());
}

// google.rpc.RetryInfo, QuotaFailure and ErrorInfo.
void read_details(const Json& details, ErrorFacts& facts) {
  for (const Json& detail : details.items()) {
    if (!facts.retry_delay) {
      facts.retry_delay = parse_retry_delay(detail["retryDelay"].text());
    }
    if (detail["reason"].text() == "API_KEY_INVALID") facts.key_invalid = true;
    for (const Json& violation : detail["violations"].items()) {
      if (violation["quotaId"].text().find("PerDay") !=
          std::string_view::npos) {
        facts.daily_quota = true;
      }
    }
  }
}

std::string without_tags(std::string_view text) {
  std::string plain;
  bool tag = false;
  for (const char c : text) {
    if (c == '<') tag = true;
    const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!tag && !blank) plain += c;
    if ((blank || tag) && !plain.empty() && plain.back() != ' ') plain += ' ';
    if (c == '>') tag = false;
    if (plain.size() > kLongestText * 4) break;
  }
  return std::string(base::trim(plain));
}

// At most kLongestText bytes, cut between characters.
std::string shortened(const std::string& text) {
  if (text.size() <= kLongestText) return text;
  size_t end = kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end) + "...";
}

// The first word in quotes of any kind: "Unsupported parameter: 'max_tokens'".
std::string quoted_word(std::string_view message) {
  constexpr std::string_view kQuotes = "'`\"";
  const size_t begin = message.find_first_of(kQuotes);
  if (begin == std::string_view::npos) return {};
  const size_t end = message.find(message[begin], begin + 1);
  if (end == std::string_view::npos) return {};
  return std::string(message.substr(begin + 1, end - begin - 1));
}

}  // namespace

ErrorFacts read_error(const Json& whole) {
  const Json& body = unwrap(whole);
  const Json& error = body["error"];
  ErrorFacts facts;
  // An escape may be half of a surrogate pair.
  facts.message = base::replace_invalid_utf8(message_of(body, error));
  facts.code = first_of<5>(
      {error["code"].text_or_number(), body["code"].text_or_number(),
       body["fault"]["detail"]["errorcode"].text(),
       error["innererror"]["code"].text(), error["status"].text_or_number()});
  facts.type = first_of<5>(
      {error["type"].text(), error["status"].text(), body["error_type"].text(),
       body["type"].text() == "error" ? std::string_view()
                                      : body["type"].text(),
       body["detail"].at(0)["type"].text()});
  facts.param = param_of(body, error);
  facts.request_id = body["request_id"].text();
  read_details(error["details"], facts);
  if (!facts.retry_delay) {
    facts.retry_delay = retry_hint_in_text(facts.message);
  }
  facts.moderated = error["metadata"]["reasons"].is_array() ||
                    facts.code == "content_filter" ||
                    facts.code == "content_policy_violation";
  return facts;
}

ErrorFacts read_error_body(std::string_view body) {
  body = base::trim(body);
  ErrorFacts facts;
  if (const auto json = base::read_json(body)) facts = read_error(json->root);
  if (facts.message.empty()) {
    facts.message = shortened(base::replace_invalid_utf8(without_tags(body)));
    facts.retry_delay = facts.retry_delay ? facts.retry_delay
                                          : retry_hint_in_text(facts.message);
  }
  return facts;
}

std::string refused_parameter(const ErrorFacts& error) {
  constexpr std::array<std::string_view, 9> kWords = {
      "unsupported parameter",
      "unsupported_parameter",
      "unsupported value",
      "unsupported_value",
      "unknown_parameter",
      "extra_forbidden",
      "extra inputs",
      "unrecognized request argument",
      "deprecated for this model"};
  std::string said =
      base::to_lower_ascii(error.code + ' ' + error.type + ' ' + error.message);
  const bool refused =
      std::any_of(kWords.begin(), kWords.end(), [&said](std::string_view word) {
        return said.find(word) != std::string::npos;
      });
  if (!refused) return {};
  return error.param.empty() ? quoted_word(error.message) : error.param;
}

bool is_error(const Json& whole) {
  const Json& body = unwrap(whole);
  const Json& error = body["error"];
  return error.is_object() || !error.text().empty() ||
         body["object"].text() == "error" || body["type"].text() == "error" ||
         !body["x_groq"]["error"].text().empty();
}

}  // namespace llmroute::provider
