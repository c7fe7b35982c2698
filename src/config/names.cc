#include "config/names.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace llmroute::config {
namespace {

constexpr size_t kMaxName = 200;
constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

bool holds_only(std::string_view text, const std::string& allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string alphanumeric(std::string_view more) {
  std::string allowed(kLetters);
  allowed += kDigits;
  return allowed += more;
}

}  // namespace

Complaint name_complaint(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > kMaxName) return "is longer than 200 characters";
  if (name.front() != '-' && holds_only(name, alphanumeric("._-/:@+~"))) {
    return std::nullopt;
  }
  return "may hold only letters, digits and ._-/:@+~, and not start with -";
}

Complaint label_complaint(std::string_view label) {
  if (label.empty()) return "is empty";
  if (label.size() > kMaxName) return "is longer than 200 characters";
  const auto control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  };
  if (std::any_of(label.begin(), label.end(), control)) {
    return "holds a control character";
  }
  return std::nullopt;
}

Complaint tag_complaint(std::string_view tag) {
  if (tag.empty()) return "holds an empty tag";
  if (tag.size() > kMaxName) return "holds a tag of more than 200 characters";
  if (holds_only(tag, alphanumeric("._-/:@+~"))) return std::nullopt;
  return "holds a tag with characters other than letters, digits and ._-/:@+~";
}

Complaint variable_complaint(std::string_view name) {
  const bool fine = !name.empty() &&
                    kDigits.find(name.front()) == std::string_view::npos &&
                    holds_only(name, alphanumeric("_"));
  if (fine) return std::nullopt;
  return "takes the name of an environment variable, not a value";
}

Complaint header_complaint(std::string_view name, std::string_view value) {
  if (name.empty() || !holds_only(name, alphanumeric("!#$%&'*+-.^_`|~"))) {
    return "holds a header name that HTTP does not allow";
  }
  constexpr std::array<std::string_view, 8> kOurs = {"host",
                                                     "content-length",
                                                     "transfer-encoding",
                                                     "connection",
                                                     "accept-encoding",
                                                     "content-type",
                                                     "expect",
                                                     "te"};
  const std::string lower = base::to_lower_ascii(name);
  if (std::find(kOurs.begin(), kOurs.end(), lower) != kOurs.end()) {
    return "holds the header " + lower + ", which llmroute sets itself";
  }
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (!std::all_of(value.begin(), value.end(), printable)) {
    return "holds a header value that is not printable ASCII";
  }
  return std::nullopt;
}

Complaint header_name_complaint(std::string_view name) {
  return header_complaint(name, "");
}

Complaint template_complaint(std::string_view text) {
  constexpr std::string_view kSlot = "{input}";
  const size_t first = text.find(kSlot);
  if (first == std::string_view::npos) {
    return "must hold {input}, where the prompt goes";
  }
  if (text.find(kSlot, first + 1) != std::string_view::npos) {
    return "holds {input} more than once";
  }
  return std::nullopt;
}

Complaint date_complaint(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd";
  bool fine = text.size() == kShape.size() || text.size() == 7;
  for (size_t i = 0; fine && i < text.size(); ++i) {
    const bool digit = kDigits.find(text[i]) != std::string_view::npos;
    fine = kShape[i] == 'd' ? digit : text[i] == '-';
  }
  const auto number = [&](size_t at) {
    return base::parse_int(text.substr(at, 2)).value_or(0);
  };
  fine = fine && number(5) >= 1 && number(5) <= 12;
  if (fine && text.size() == kShape.size()) {
    fine = number(8) >= 1 && number(8) <= 31;
  }
  if (fine) return std::nullopt;
  return "must be a day, as YYYY-MM-DD, or a month, as YYYY-MM";
}

bool is_glob(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

}  // namespace llmroute::config
