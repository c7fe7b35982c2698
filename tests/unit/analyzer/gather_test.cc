#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "gather_oracle.h"
#include "model_maker.h"

using gather_oracle::agrees;
using llmroute::analyzer::kChunkBytes;
using llmroute::analyzer::Kernel;
using llmroute::analyzer::kLongestWord;
using llmroute::analyzer::testing_only_kernels;

namespace {

struct Checker {
  model_maker::Made made;
  Checker() { model_maker::fill(made, 15, 20); }

  void check(std::string_view instruction, std::string_view context = {}) {
    for (const Kernel& kernel : testing_only_kernels()) {
      if (agrees(kernel, made.model, instruction, context)) continue;
      FAIL_CHECK(kernel.name << " differs on '" << std::string(instruction)
                             << "' after '" << std::string(context) << "'");
    }
  }

  // At the end of its own memory, so that a sanitizer sees what is read beyond.
  void check_exact(const std::string& text) {
    const std::vector<char> exact(text.begin(), text.end());
    check({exact.data(), exact.size()});
  }
};

using Random = std::mt19937_64;

std::string letters(Random& random, size_t count) {
  std::string word;
  for (size_t i = 0; i < count; ++i) {
    word += static_cast<char>((random() % 4 == 0 ? 'A' : 'a') + random() % 26);
  }
  return word;
}

// One piece of text of a kind that the code treats apart.
std::string piece(Random& random) {
  static const std::vector<std::string> kFixed = {" ",
                                                  "  ",
                                                  "\n",
                                                  "\r\n",
                                                  "\t",
                                                  "\n\n   ",
                                                  "'",
                                                  "''",
                                                  "don't",
                                                  "'tis",
                                                  "-",
                                                  "---",
                                                  "====",
                                                  "= =",
                                                  "\n- ",
                                                  "\n* ",
                                                  "\n1. ",
                                                  "\nA) ",
                                                  "\n  B:",
                                                  ";\n",
                                                  "{\n",
                                                  "?",
                                                  ": \n",
                                                  ".",
                                                  ",",
                                                  "the",
                                                  "Write",
                                                  "what",
                                                  "i",
                                                  "I",
                                                  "7",
                                                  "x7",
                                                  "12",
                                                  "123",
                                                  "1234",
                                                  "12345",
                                                  "1a2b3c4d5e",
                                                  "a1234567b",
                                                  "@[\\]^_`{|}~",
                                                  "#$%&*+/<=>",
                                                  "!\"(),-.:;?",
                                                  "\x01\x1f\x7f",
                                                  "caf\xc3\xa9",
                                                  "\xc3\x89TUDE",
                                                  "\xd0\x9f\xd1\x80\xd0\xb8",
                                                  "\xce\xa3\xce\xb1",
                                                  "\xd7\xa9\xd7\x9c",
                                                  "\xd8\xa7\xd8\xa8",
                                                  "\xe0\xb8\x81\xe0\xb8\x82",
                                                  "\xe6\x97\xa5\xe6\x9c\xac",
                                                  "\xe3\x80\x82",
                                                  "\xe3\x81\x82",
                                                  "\xea\xb0\x80",
                                                  "\xe2\x80\x9c",
                                                  "\xe2\x82\xac",
                                                  "\xf0\x9f\x98\x80",
                                                  "\xf0\xa0\x80\x80",
                                                  "\xc2\xa0",
                                                  "\xef\xbc\x81",
                                                  "\xff",
                                                  "\x80\x80",
                                                  "\xe6\x97",
                                                  "\xf0\x9f"};
  switch (random() % 8) {
    case 0:
      return letters(random, random() % 80);
    case 1:
      return std::string(random() % 70, static_cast<char>(random()));
    case 2:
      return {static_cast<char>(random()), static_cast<char>(random())};
    case 3:
    case 4:
      return letters(random, 1 + random() % 9) + " ";
    default:
      return kFixed[random() % kFixed.size()];
  }
}

std::string text_of(Random& random, size_t size) {
  std::string text;
  while (text.size() < size) text += piece(random);
  text.resize(size);
  return text;
}

constexpr uint64_t kSeed = 20'240'229;

}  // namespace

TEST_CASE("every kernel finds what the scanner finds in texts of every size") {
  Checker checker;
  Random random(kSeed);
  for (size_t size = 0; size <= 600; ++size) {
    CAPTURE(size);
    checker.check_exact(text_of(random, size));
  }
  for (int round = 0; round < 200; ++round) {
    checker.check_exact(text_of(random, random() % 5000));
  }
}

TEST_CASE("a text is the same at every alignment in memory") {
  Checker checker;
  Random random(kSeed + 1);
  const std::string text = text_of(random, 200 + 64);
  for (size_t at = 0; at < 64; ++at) {
    CAPTURE(at);
    checker.check(std::string_view(text).substr(at, 200));
    checker.check(std::string_view(text).substr(at));
  }
}

TEST_CASE("random bytes are the same") {
  Checker checker;
  Random random(kSeed + 2);
  for (int round = 0; round < 300; ++round) {
    std::string text(random() % 1500, '\0');
    // Few different bytes, many, or ASCII.
    const uint64_t bits = round % 3 == 0 ? 0x03 : round % 3 == 1 ? 0xff : 0x7f;
    for (char& c : text) c = static_cast<char>(random() & bits);
    if (round % 3 == 0) {
      for (char& c : text) c = "a 0'"[static_cast<size_t>(c)];
    }
    checker.check_exact(text);
  }
}

TEST_CASE("words of every length at every place of a block and a chunk") {
  Checker checker;
  for (size_t length = 1; length <= kLongestWord + 70; ++length) {
    CAPTURE(length);
    for (size_t before = 0; before <= 64; before += length < 50 ? 1 : 7) {
      for (const size_t more : {size_t{0}, kChunkBytes - 64}) {
        std::string text(before + more, ' ');
        text += std::string(length, 'w');
        checker.check(text);
        text += "\xc3\xa9' 12345";
        checker.check(text);
      }
    }
  }
}

TEST_CASE("repeated symbols are one, also across blocks and between texts") {
  Checker checker;
  for (size_t count = 1; count < 1200; count += 37) {
    CAPTURE(count);
    checker.check("a " + std::string(count, '=') + " b" +
                  std::string(count, '-') + "#");
    checker.check("=" + std::string(count, ' ') + "=", "x =");
  }
}

TEST_CASE("windows of a long prompt are the same, with context and without") {
  Checker checker;
  Random random(kSeed + 3);
  for (int round = 0; round < 12; ++round) {
    const std::string instruction = text_of(random, 30'000);
    const std::string context = text_of(random, 30'000);
    checker.check(instruction);
    checker.check(instruction, context);
    checker.check({}, context);
    checker.check(std::string_view(instruction).substr(0, random() % 20),
                  context);
  }
  // Everything in one word, in symbols, in wide characters, in short words.
  for (const char* unit : {"w", "0", "'", "=+", "\xe6\x97\xa5", "\xc3\xa9",
                           "\xd0\xb9", "a ", "\n", "\xe2\x82\xac"}) {
    std::string text;
    while (text.size() < 30'000) text += unit;
    checker.check(text);
  }
}

TEST_CASE("small models are the same") {
  Random random(kSeed + 4);
  const std::string text = text_of(random, 2000);
  for (const uint32_t bucket_bits : {4U, 9U, 15U}) {
    model_maker::Made made;
    model_maker::fill(made, bucket_bits, 5);
    for (const Kernel& kernel : testing_only_kernels()) {
      CHECK(agrees(kernel, made.model, text, {}));
    }
  }
}

TEST_CASE("sums of the largest weights do not overflow") {
  Checker checker;
  std::string text;
  Random random(kSeed + 5);
  while (text.size() < 16'000) text += letters(random, 6) + " ";
  for (const int weight : {127, -127}) {
    for (auto& row : checker.made.rows) {
      row.weight.fill(static_cast<int8_t>(weight));
    }
    checker.check(text);
  }
}
