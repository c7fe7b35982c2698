#include "config/read.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "config/scan.h"

namespace {

[[noreturn]] void invalid_document() {
  throw std::logic_error("not valid TOML");
}

}  // namespace

// toml++ drops its assertions, and turns some into promises to the compiler,
// where NDEBUG is set; here they are kept and throw.
#undef NDEBUG
#define TOML_ASSERT(expr)            \
  do {                               \
    if (!(expr)) invalid_document(); \
  } while (false)
#define TOML_EXCEPTIONS 1
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

namespace llmroute::config {
namespace {

static_assert(TOML_MAX_NESTED_VALUES == kMaxNesting);

Position position(const toml::source_position& at) {
  Position out;
  if (at.line > 0) out.line = static_cast<int>(at.line);
  if (at.column > 0) out.column = static_cast<int>(at.column);
  return out;
}

bool before(const Member& a, const Member& b) {
  if (a.at.line != b.at.line) return a.at.line < b.at.line;
  return a.at.column < b.at.column;
}

Node convert(const toml::node& from);

void convert_table(const toml::table& from, Node& to) {
  to.members.reserve(from.size());
  for (const auto& [key, value] : from) {
    to.members.push_back(
        {std::string(key.str()), position(key.source().begin), convert(value)});
  }
  std::stable_sort(to.members.begin(), to.members.end(), before);
}

void convert_array(const toml::array& from, Node& to) {
  to.items.reserve(from.size());
  for (const toml::node& item : from) to.items.push_back(convert(item));
}

Node convert(const toml::node& from) {
  Node to;
  to.at = position(from.source().begin);
  if (const auto* table = from.as_table()) {
    to.kind = Node::Kind::kTable;
    convert_table(*table, to);
  } else if (const auto* array = from.as_array()) {
    to.kind = Node::Kind::kArray;
    convert_array(*array, to);
  } else if (const auto* text = from.as_string()) {
    to.kind = Node::Kind::kString;
    to.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    to.kind = Node::Kind::kInteger;
    to.integer = integer->get();
    to.number = static_cast<double>(to.integer);
  } else if (const auto* number = from.as_floating_point()) {
    to.kind = Node::Kind::kFloat;
    to.number = number->get();
  } else if (const auto* flag = from.as_boolean()) {
    to.kind = Node::Kind::kBool;
    to.flag = flag->get();
  } else {
    to.kind = Node::Kind::kDate;
  }
  return to;
}

// The library's sentence in our style: lower case, no full stop.
std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z') {
    out[0] = static_cast<char>(out[0] - 'A' + 'a');
  }
  while (out.ends_with('.')) out.pop_back();
  return out;
}

bool gives_up(std::string_view text) {
  try {
    (void)toml::parse(text);
  } catch (const toml::parse_error&) {
  } catch (const std::logic_error&) {
    return true;
  }
  return false;
}

// The library gave up without a place: the line is the first one at whose end
// it does.
int line_of_giving_up(std::string_view text) {
  std::vector<size_t> ends;  // of the lines
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') ends.push_back(at + 1);
  }
  ends.push_back(text.size());
  const auto first = std::partition_point(
      ends.begin(), ends.end(),
      [&](size_t end) { return !gives_up(text.substr(0, end)); });
  return static_cast<int>(std::min(first, ends.end() - 1) - ends.begin()) + 1;
}

}  // namespace

base::Result<Node> read_toml(std::string_view text, const std::string& file) {
  LLMROUTE_CHECK(scan_toml(text, file));
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return error_at(file, position(error.source().begin),
                    sentence(error.description()));
  } catch (const std::logic_error& error) {
    return error_at(file, {line_of_giving_up(text), 1}, error.what());
  }
}

}  // namespace llmroute::config
