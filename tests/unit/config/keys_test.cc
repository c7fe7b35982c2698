#include "config/keys.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/text.h"
#include "config/key_command.h"
#include "temporary.h"

namespace llmroute::config {
namespace {

using base::ErrorKind;

core::Provider with_variables(std::vector<std::string> names) {
  core::Provider provider;
  provider.name = "p";
  provider.key_env = std::move(names);
  return provider;
}

TEST_CASE("the first variable that is set gives the key") {
  base::FakeEnvironment environment;
  const core::Provider provider = with_variables({"A", "B"});
  CHECK_FALSE(key_present(provider, environment));
  CHECK(missing_key_text(provider) == "A or B is not set");
  const auto none = resolve_key(provider, environment);
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::kNoPermission);
  CHECK(none.error().message == "A or B is not set");
  environment.values = {{"A", ""}, {"B", "second"}};
  CHECK(key_present(provider, environment));
  CHECK(*resolve_key(provider, environment) == "second");
  environment.values["A"] = "first";
  CHECK(*resolve_key(provider, environment) == "first");
}

TEST_CASE("a provider without a key needs none") {
  const base::FakeEnvironment environment;
  CHECK(key_present(core::Provider(), environment));
  CHECK(*resolve_key(core::Provider(), environment) == "");
}

TEST_CASE("a key is printable ASCII without blanks; one newline is removed") {
  base::FakeEnvironment environment;
  const core::Provider provider = with_variables({"A"});
  environment.values["A"] = "sk-good\n";
  CHECK(*resolve_key(provider, environment) == "sk-good");
  environment.values["A"] = "sk-good\r\n";
  CHECK(*resolve_key(provider, environment) == "sk-good");
  const std::string bad[] = {
      "sk-bad\n\n", "sk bad",   "\nsk-bad",     "sk\tbad",
      "sk-bäd",     "sk-bad\r", "sk-bad\rX: y", "sk-bad\nX: y",
      " ",          "\n",       "\"sk-bad \"",  std::string(1 << 20, 'k')};
  for (const std::string& value : bad) {
    environment.values["A"] = value;
    const auto key = resolve_key(provider, environment);
    REQUIRE_FALSE(key);
    CHECK(key.error().kind == ErrorKind::kNoPermission);
    CHECK(key.error().message.starts_with("A "));
    CHECK(key.error().message.find("sk") == std::string::npos);
    CHECK(key.error().message.size() < 200);
  }
}

TEST_CASE("a key file must be ours alone, and comes before variables") {
  const TemporaryDirectory directory;
  base::FakeEnvironment environment;
  environment.values["A"] = "from-variable";
  core::Provider provider = with_variables({"A"});
  provider.key_file = directory.file("key");
  CHECK_FALSE(key_present(provider, environment));
  auto key = resolve_key(provider, environment);
  REQUIRE_FALSE(key);
  CHECK(key.error().kind == ErrorKind::kNoPermission);
  CHECK(key.error().message.find("does not exist") != std::string::npos);
  directory.write("key", "from-file\n", 0600);
  CHECK(key_present(provider, environment));
  CHECK(*resolve_key(provider, environment) == "from-file");
  directory.write("key", "from-file\n", 0644);
  key = resolve_key(provider, environment);
  REQUIRE_FALSE(key);
  CHECK(key.error().kind == ErrorKind::kNoPermission);
  directory.write("key", "", 0600);
  CHECK_FALSE(resolve_key(provider, environment));
}

TEST_CASE("a key command is run without a shell and comes first") {
  const TemporaryDirectory directory;
  base::FakeEnvironment environment;
  environment.values["A"] = "from-variable";
  core::Provider provider = with_variables({"A"});
  provider.key_file = directory.write("key", "from-file", 0600);
  provider.key_command = {"printf", "%s\\n", "$HOME;`id`"};
  CHECK(key_present(provider, environment));
  CHECK(*resolve_key(provider, environment) == "$HOME;`id`");
  provider.key_command = {"printf", "two words"};
  const auto key = resolve_key(provider, environment);
  REQUIRE_FALSE(key);
  CHECK(key.error().kind == ErrorKind::kNoPermission);
  CHECK(key.error().message.find("two") == std::string::npos);
}

TEST_CASE("a key command that fails is told apart") {
  struct Case {
    std::vector<std::string> command;
    std::string message;
  };
  const Case cases[] = {
      {{"sh", "-c", "echo secret; exit 3"},
       "key command 'sh' ended with exit status 3"},
      {{"sh", "-c", "kill -9 $$"}, "key command 'sh' died of signal 9"},
      {{"/nonexistent/tool"},
       "key command '/nonexistent/tool' cannot be run: "
       "No such file or directory"},
  };
  for (const Case& c : cases) {
    const auto key = run_key_command(c.command);
    REQUIRE_FALSE(key);
    CHECK(key.error().kind == ErrorKind::kNoPermission);
    CHECK(key.error().message == c.message);
  }
}

TEST_CASE("a key command reads nothing and has default signals") {
  CHECK(*run_key_command({"cat"}) == "");
  // Bit 12 of the ignored signals, in hexadecimal, is SIGPIPE.
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto ignored = run_key_command(
      {"sed", "-n", "s/^SigIgn:[ \\t]*//p", "/proc/self/status"});
  ::signal(SIGPIPE, before);
  REQUIRE(ignored);
  const std::string_view bits = base::trim(*ignored);
  REQUIRE(bits.size() == 16);
  CHECK(bits[12] == '0');
}

TEST_CASE("a key command out of time is killed with what it started") {
  const TemporaryDirectory directory;
  const std::string pids = directory.file("pids");
  const auto begin = base::now();
  const auto key =
      run_key_command({"sh", "-c",
                       "sleep 60 & echo $! $$ > " + pids + ".new; mv " + pids +
                           ".new " + pids + "; wait"},
                      std::chrono::milliseconds(500));
  REQUIRE_FALSE(key);
  CHECK(key.error().message == "key command 'sh' did not end within 500 ms");
  CHECK(base::now() - begin < std::chrono::seconds(5));
  const auto text = base::read_file(pids, 1000);
  REQUIRE(text);
  // Killed; a process that is not ours to reap may be a zombie for a moment.
  for (const std::string& pid : base::split(base::trim(*text), ' ')) {
    std::string state = "R";
    for (int tries = 0; tries < 100 && state != "gone"; ++tries) {
      const auto status = base::read_file("/proc/" + pid + "/stat", 4096);
      state = !status || status->find(") Z ") != std::string::npos ? "gone"
                                                                   : "running";
      if (state != "gone") ::usleep(20'000);
    }
    CHECK(state == "gone");
  }
}

TEST_CASE("a process left behind does not hold the key back") {
  const auto begin = base::now();
  const auto key = run_key_command({"sh", "-c", "sleep 60 & echo the-key"});
  REQUIRE(key);
  CHECK(*key == "the-key\n");
  CHECK(base::now() - begin < std::chrono::seconds(8));
}

TEST_CASE("endless output is cut off and ends") {
  const auto key = run_key_command({"sh", "-c", "yes x | head -c 1000000"});
  REQUIRE(key);
  CHECK(key->size() < 100'000);
}

}  // namespace
}  // namespace llmroute::config
