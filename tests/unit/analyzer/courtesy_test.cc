#include "analyzer/courtesy.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

using llmroute::analyzer::without_courtesy;

namespace {

constexpr std::string_view kTask = "Which metals float on mercury, and why?";

std::string around(std::string_view before, std::string_view after) {
  return std::string(before) + std::string(kTask) + std::string(after);
}

}  // namespace

TEST_CASE("greetings, requests for help and thanks are taken off") {
  for (const char* before :
       {"Hello! ", "Hi, quick question: ", "Hey there, ",
        "Dear team,\n\nI hope you are all well. Can you help me with this?\n",
        "GOOD MORNING! Please: ", "## Task\n\n", "Thanks in advance! "}) {
    CAPTURE(before);
    CHECK(without_courtesy(around(before, "")) == kTask);
  }
  for (const char* after :
       {"\n\nThanks!", " Thank you very much for your time.", "\n\n---\n",
        "\nBest regards", "  \n", " Thanks. Please help me soon!"}) {
    CAPTURE(after);
    CHECK(without_courtesy(around("", after)) == kTask);
    CHECK(without_courtesy(around("Hi! ", after)) == kTask);
  }
}

TEST_CASE("what says something of the task stays") {
  for (const char* before :
       {"Hello world, in Rust: ", "You are a chemist. ", "Be brief. ", "Hola, ",
        "Hi Maria, ", "2 things: ", "Please translate: ", "\xc2\xa1Hello! "}) {
    CAPTURE(before);
    CHECK(without_courtesy(around(before, "")) == around(before, ""));
  }
  for (const char* after :
       {"\nBe brief.", "\n```", " In German, please.", "\nThanks, Maria"}) {
    CAPTURE(after);
    CHECK(without_courtesy(around("", after)) == around("", after));
  }
}

TEST_CASE("a courtesy alone is a prompt") {
  for (const char* text : {"", "Hello!", "Hi, how are you doing today?",
                           "Thank you so much! You are a great help. Bye!",
                           "Hello! Could you please help me with this? ok"}) {
    CAPTURE(text);
    CHECK(without_courtesy(text) == text);
  }
}

TEST_CASE("of any bytes a part is left, and twice takes off no more") {
  std::mt19937 random(11);
  constexpr std::string_view kAlphabet[] = {
      "hi", " ", "thanks", ". ", "\n", "x9", "!", ",", "\xe4", "please"};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n) {
      text += kAlphabet[random() % std::size(kAlphabet)];
    }
    const std::string_view rest = without_courtesy(text);
    REQUIRE(text.find(rest) != std::string::npos);
    REQUIRE(rest.empty() == text.empty());
    REQUIRE(without_courtesy(rest) == rest);
  }
}

TEST_CASE("a long tail of marks is not read again for each of them") {
  std::string text(kTask);
  for (int i = 0; i < 1'000'000; ++i) text += " .";
  CHECK(without_courtesy(text).starts_with(kTask));
}
