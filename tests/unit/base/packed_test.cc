#include "base/packed.h"

#include <doctest/doctest.h>

#include <limits>

namespace llmroute::base {
namespace {

struct All {
  double real = 0;
  int64_t whole = 0, most = 0;
  bool flag = false;
  std::string text;
  std::optional<double> maybe, none;
  std::vector<std::string> texts;
  std::map<std::string, std::string> map;
};

void each_field(auto& archive, auto& all) {
  archive(all.real);
  archive(all.whole);
  archive.number(all.most, INT64_MAX);
  archive(all.flag);
  archive(all.text);
  archive(all.maybe);
  archive(all.none);
  archive(all.texts);
  archive(all.map);
}

std::string packed() {
  All all{-0.1,  300, INT64_MAX, true,        "text",
          1e300, {},  {"a", ""}, {{"k", "v"}}};
  Packer pack(7);
  each_field(pack, all);
  return pack.take();
}

bool is_whole(std::string_view bytes) {
  All all;
  Unpacker unpack(bytes, 7);
  each_field(unpack, all);
  return unpack.whole();
}

}  // namespace

TEST_CASE("what was packed is unpacked as it was") {
  const std::string bytes = packed();
  All all;
  Unpacker unpack(bytes, 7);
  each_field(unpack, all);
  CHECK(unpack.whole());
  CHECK(all.real == -0.1);
  CHECK(all.whole == 300);
  CHECK(all.most == INT64_MAX);
  CHECK(all.flag);
  CHECK(all.text == "text");
  CHECK(all.maybe == 1e300);
  CHECK_FALSE(all.none);
  CHECK(all.texts == std::vector<std::string>{"a", ""});
  CHECK(all.map == std::map<std::string, std::string>{{"k", "v"}});
}

TEST_CASE("the bytes are those of the format") {
  Packer pack(1);
  pack(1.0);
  pack(int64_t{300});
  pack(true);
  pack(std::string_view("ab"));
  const std::string_view expected(
      "\x01\0\0\0\0\0\0\xF0\x3F\xAC\x02\x01\x02"
      "ab",
      15);
  CHECK(pack.take() == expected);
}

TEST_CASE("bytes that are cut, too many or of another version are refused") {
  const std::string bytes = packed();
  for (size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(is_whole(std::string_view(bytes).substr(0, size)));
  }
  CHECK_FALSE(is_whole(bytes + '\0'));
  All all;
  Unpacker other(bytes, 8);
  each_field(other, all);
  CHECK_FALSE(other.whole());
  CHECK(all.text.empty());
}

TEST_CASE("values that nothing packs are refused") {
  const auto is_read = [](std::string_view bytes, auto value) {
    Unpacker unpack(bytes, 1);
    unpack(value);
    return unpack.whole();
  };
  for (const double real : {std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()}) {
    Packer pack(1);
    pack(real);
    CHECK_FALSE(is_read(pack.take(), 0.0));
  }
  Packer pack(1);
  pack(int64_t{-1});
  CHECK_FALSE(is_read(pack.take(), int64_t{0}));
  CHECK_FALSE(is_read("\x01\x02", false));
  CHECK_FALSE(
      is_read("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", int64_t{0}));
  CHECK_FALSE(
      is_read("\x01\x7F"
              "a",
              std::vector<std::string>()));
  Unpacker bounded("\x01\x05", 1);
  int64_t number = 0;
  bounded.number(number, 4);
  CHECK_FALSE(bounded.whole());
  CHECK(number == 0);
}

}  // namespace llmroute::base
