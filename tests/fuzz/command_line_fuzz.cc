// Words of a command line, one a line, and through resolve() to options.
// Whatever they are: no crash, and nothing is made up: what was understood
// stands in the words.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/text.h"
#include "cli/parse.h"
#include "cli/resolve.h"

namespace {

using llmroute::cli::Args;

void require(bool holds) {
  if (!holds) std::abort();
}

bool stands_in(const std::string& value,
               const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return word.ends_with(value);
  });
}

void check(const Args& args, const std::vector<std::string>& words) {
  if (args.error) {
    require(!args.error->message.empty());
    require(args.error->kind == llmroute::base::ErrorKind::kUsage);
  }
  require(args.operands.size() + args.options.size() <=
          llmroute::base::join(words, " ").size() + words.size());
  for (const std::string& operand : args.operands) {
    require(std::find(words.begin(), words.end(), operand) != words.end());
  }
  for (const llmroute::cli::GivenOption& given : args.options) {
    require(given.row->applies_to(args.command));
    require(given.value == "always" || stands_in(given.value, words));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> words = llmroute::base::split(text, '\n');
  const Args args = llmroute::cli::parse(words);
  check(args, words);
  if (args.error) return 0;
  const llmroute::base::FakeEnvironment environment;
  const auto settings = llmroute::cli::resolve(args, environment);
  if (!settings) return 0;
  if (args.command == llmroute::cli::Command::kConfig) {
    (void)llmroute::cli::config_options(*settings, args.operands);
  }
  return 0;
}
