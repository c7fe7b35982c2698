#include "batch/journal_frame.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <new>

#include "base/crc32c.h"
#include "base/json_writer.h"
#include "batch/line_index.h"

namespace llmroute::batch {
namespace {

namespace dom = simdjson::dom;
using base::JsonWriter;

constexpr std::string_view kOut = R"(,"out":)";
constexpr std::string_view kHeadStart = R"({"frame":"H",)";

JsonWriter begin(std::string_view frame) {
  JsonWriter json;
  json.begin_object().field("frame", frame);
  return json;
}

std::string framed(JsonWriter& json) {
  json.end_object();
  const std::string& payload = json.text();
  return fmt::format("{:08x} {:08x} {}\n", payload.size(),
                     base::crc32c(payload), payload);
}

std::optional<int64_t> pico(const std::optional<core::Money>& money) {
  return money ? std::optional(money->pico) : std::nullopt;
}

// No object of names: one called "out" would look like the last field.
void write_shares(JsonWriter& json,
                  const std::map<std::string, core::Money>& shares) {
  json.begin_array();
  for (const auto& [model, cost] : shares) {
    json.begin_object().field("model", model).field("cost", cost.pico);
    json.end_object();
  }
  json.end_array();
}

std::optional<uint32_t> parse_hex(std::string_view digits) {
  uint32_t value = 0;
  if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return std::nullopt;
  }
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

// Fields of a JSON object, which must be read in their order, all of them.
class Fields {
 public:
  explicit Fields(const dom::object& object)
      : at_(object.begin()), end_(object.end()) {}

  std::string_view text(std::string_view key) {
    return read(key, std::string_view());
  }
  // The texts of an object.
  std::vector<std::pair<std::string, std::string>> texts(std::string_view key) {
    std::vector<std::pair<std::string, std::string>> texts;
    const dom::object object = read(key, dom::object());
    if (!good_) return texts;
    for (const auto& [name, value] : object) {
      std::string_view text;
      good_ = good_ && value.get(text) == simdjson::SUCCESS;
      texts.emplace_back(name, text);
    }
    return texts;
  }
  // A list of amounts by model, which may be left out.
  std::map<std::string, core::Money> shares(std::string_view key) {
    std::map<std::string, core::Money> shares;
    if (!good_ || at_ == end_ || at_.key() != key) return shares;
    for (const dom::element share : read(key, dom::array())) {
      std::string_view model;
      int64_t cost = 0;
      good_ = good_ && share["model"].get(model) == simdjson::SUCCESS &&
              share["cost"].get(cost) == simdjson::SUCCESS && cost >= 0;
      if (good_) shares[std::string(model)] = core::Money{cost};
    }
    return shares;
  }
  bool flag(std::string_view key) { return read(key, false); }
  int64_t number(std::string_view key) {
    const int64_t value = read(key, int64_t{0});
    good_ = good_ && value >= 0;
    return value;
  }
  int64_t line() {
    const int64_t value = number("line");
    good_ = good_ && value >= 1 && value <= kMostLines;
    return value;
  }
  core::Money money(std::string_view key) { return {number(key)}; }
  core::Money change(std::string_view key) { return {read(key, int64_t{0})}; }
  std::optional<int64_t> maybe(std::string_view key) {
    if (good_ && at_ != end_ && at_.key() == key && at_.value().is_null()) {
      ++at_;
      return std::nullopt;
    }
    return number(key);
  }
  std::optional<core::Money> maybe_money(std::string_view key) {
    const std::optional<int64_t> value = maybe(key);
    return value ? std::optional(core::Money{*value}) : std::nullopt;
  }
  base::Fingerprint fingerprint(std::string_view key) {
    const std::string_view digits = text(key);
    base::Fingerprint bytes{};
    good_ = good_ && digits.size() == 2 * bytes.size();
    for (size_t i = 0; good_ && i < bytes.size(); ++i) {
      const auto byte = parse_hex(digits.substr(2 * i, 2));
      good_ = byte.has_value();
      bytes[i] = static_cast<uint8_t>(byte.value_or(0));
    }
    return bytes;
  }
  // `frame` if every field was right and none is left.
  template <class Frame>
  std::optional<JournalFrame> complete(Frame frame) const {
    if (!good_ || at_ != end_) return std::nullopt;
    return JournalFrame(std::move(frame));
  }

 private:
  template <class T>
  T read(std::string_view key, T value) {
    good_ = good_ && at_ != end_ && at_.key() == key &&
            at_.value().get(value) == simdjson::SUCCESS;
    if (good_) ++at_;
    return value;
  }

  dom::object::iterator at_, end_;
  bool good_ = true;
};

std::optional<JournalFrame> read_head(Fields& fields) {
  JournalHead head;
  head.version = fields.number("version");
  if (head.version != kJournalVersion) return head;
  head.run_id = fields.text("run");
  head.config = fields.text("config");
  head.match = fields.text("match");
  head.form = fields.text("form");
  head.parts = fields.texts("parts");
  return fields.complete(std::move(head));
}

std::optional<JournalFrame> read_send(Fields& fields) {
  JournalSend send;
  send.line = fields.line();
  send.hold = fields.change("hold");
  return fields.complete(send);
}

std::optional<JournalFrame> read_record(Fields& fields, std::string_view out) {
  JournalRecord record;
  record.line = fields.line();
  record.input = fields.fingerprint("input");
  record.id = fields.text("id");
  record.ok = fields.flag("ok");
  record.error_code = fields.text("error");
  record.model = fields.text("model");
  record.provider = fields.text("provider");
  record.cost = fields.maybe_money("cost");
  record.cost_estimated = fields.flag("estimated");
  record.strongest = fields.maybe_money("strongest");
  record.input_tokens = fields.maybe("input_tokens");
  record.output_tokens = fields.maybe("output_tokens");
  record.attempts = fields.number("attempts");
  record.ms = fields.number("ms");
  record.earlier = fields.shares("earlier");
  record.orphaned = fields.money("orphaned");
  if (!out.starts_with('{') || !out.ends_with('}')) return std::nullopt;
  record.out = out;
  return fields.complete(std::move(record));
}

std::optional<JournalFrame> read_end(Fields& fields) {
  JournalEnd end;
  end.output.sha256 = fields.text("sha256");
  end.output.size = fields.number("size");
  end.ok = fields.number("ok");
  end.failed = fields.number("failed");
  end.status = fields.number("status");
  end.input = fields.text("input");
  return fields.complete(std::move(end));
}

std::optional<JournalFrame> read_payload(std::string_view payload) {
  // No string holds kOut, whose quotes would be escaped there.
  const size_t cut = std::min(payload.find(kOut), payload.size());
  std::string_view out = payload.substr(cut);
  thread_local dom::parser parser;
  thread_local std::string json;
  json = payload.substr(0, cut);
  if (!out.empty()) {
    if (!out.ends_with('}')) return std::nullopt;
    out = out.substr(kOut.size(), out.size() - kOut.size() - 1);
    json += '}';
  }
  json.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  dom::object object;
  const auto error = parser.parse(json).get(object);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  if (error != simdjson::SUCCESS) return std::nullopt;
  Fields fields(object);
  const std::string_view frame = fields.text("frame");
  if (frame == "R") return read_record(fields, out);
  if (!out.empty()) return std::nullopt;
  if (frame == "H") return read_head(fields);
  if (frame == "A") return read_send(fields);
  if (frame == "E") return read_end(fields);
  return std::nullopt;
}

}  // namespace

std::string encode_frame(const JournalHead& head) {
  JsonWriter json = begin("H");
  json.field("version", head.version)
      .field("run", head.run_id)
      .field("config", head.config)
      .field("match", head.match)
      .field("form", head.form)
      .key("parts")
      .begin_object();
  for (const auto& [name, hash] : head.parts) json.field(name, hash);
  json.end_object();
  return framed(json);
}

std::string encode_frame(const JournalSend& send) {
  JsonWriter json = begin("A");
  json.field("line", send.line).field("hold", send.hold.pico);
  return framed(json);
}

std::string encode_frame(const JournalRecord& record) {
  JsonWriter json = begin("R");
  json.field("line", record.line)
      .field("input", base::hex(record.input))
      .field("id", record.id)
      .field("ok", record.ok)
      .field("error", record.error_code)
      .field("model", record.model)
      .field("provider", record.provider)
      .field("cost", pico(record.cost))
      .field("estimated", record.cost_estimated)
      .field("strongest", pico(record.strongest))
      .field("input_tokens", record.input_tokens)
      .field("output_tokens", record.output_tokens)
      .field("attempts", record.attempts)
      .field("ms", record.ms);
  if (!record.earlier.empty()) {
    write_shares(json.key("earlier"), record.earlier);
  }
  json.field("orphaned", record.orphaned.pico).key("out").raw(record.out);
  return framed(json);
}

std::string encode_frame(const JournalEnd& end) {
  JsonWriter json = begin("E");
  json.field("sha256", end.output.sha256)
      .field("size", end.output.size)
      .field("ok", end.ok)
      .field("failed", end.failed)
      .field("status", end.status)
      .field("input", end.input);
  return framed(json);
}

std::optional<size_t> claimed_length(std::string_view prefix) {
  if (prefix.size() < kFramePrefix || prefix[8] != ' ' || prefix[17] != ' ') {
    return std::nullopt;
  }
  const std::optional<uint32_t> claim = parse_hex(prefix.substr(0, 8));
  if (!claim || kFramePrefix + *claim + 1 > kLargestFrame) return std::nullopt;
  return kFramePrefix + *claim + 1;
}

std::optional<JournalFrame> decode_frame(std::string_view line) {
  if (claimed_length(line) != line.size() + 1) return std::nullopt;
  const std::string_view payload = line.substr(kFramePrefix);
  if (parse_hex(line.substr(9, 8)) != base::crc32c(payload)) {
    return std::nullopt;
  }
  return read_payload(payload);
}

bool is_torn_head(std::string_view text) {
  // A head is short, which tells it from most that begins with hex digits.
  constexpr std::string_view kForm = "0000hhhh hhhhhhhh ";
  if (text.empty() || text.size() > kForm.size() + 0xffff) return false;
  for (size_t i = 0; i < std::min(text.size(), kForm.size()); ++i) {
    const bool right = kForm[i] == 'h'
                           ? parse_hex(text.substr(i, 1)).has_value()
                           : text[i] == kForm[i];
    if (!right) return false;
  }
  if (text.size() <= kForm.size()) return true;
  const std::string_view payload = text.substr(kForm.size());
  return payload.substr(0, kHeadStart.size()) ==
         kHeadStart.substr(0, payload.size());
}

}  // namespace llmroute::batch
