#include "config/load.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "config/local_server.h"
#include "config/paths.h"
#include "temporary.h"

namespace llmroute::config {
namespace {

using base::ErrorKind;

// A home with its own places, nothing in them.
struct Home {
  TemporaryDirectory directory;
  base::FakeEnvironment environment;

  Home() {
    environment.values = {{"HOME", directory.path()},
                          {"XDG_CONFIG_DIRS", directory.file("etc")}};
  }
  std::string user_file() const {
    return directory.file(".config/llmroute/config.toml");
  }
};

TEST_CASE("with no file at all the built-in layer is in effect") {
  const Home home;
  const auto config = load({}, home.environment);
  REQUIRE(config);
  CHECK(config->models.size() == builtin().models.size());
  CHECK(config->files.empty());
  CHECK(config->default_profile == "balanced");
}

TEST_CASE("the user's file is over the system's") {
  const Home home;
  home.directory.write("etc/llmroute/config.toml",
                       "profile = \"cost\"\nroute = \"r\"\n"
                       "[routes.r]\nmodels = \"haiku\"\n",
                       0644);
  home.directory.write(".config/llmroute/config.toml", "profile = \"fast\"\n");
  const auto config = load({}, home.environment);
  REQUIRE(config);
  CHECK(config->default_profile == "fast");
  CHECK(config->default_route == "r");
  REQUIRE(config->files.size() == 2);
  CHECK(config->files[0] == home.user_file());
  const auto all = places(home.environment);
  REQUIRE(all.size() == 2);
  CHECK(all[0].exists);
  CHECK(all[1].path == home.directory.file("etc/llmroute/config.toml"));
}

TEST_CASE("a named file replaces both, and none can be asked for") {
  const Home home;
  home.directory.write(".config/llmroute/config.toml", "profile = \"fast\"\n");
  const std::string named =
      home.directory.write("named.toml", "route = \"auto\"\n");
  const auto config = load({.file = named}, home.environment);
  REQUIRE(config);
  CHECK(config->default_profile == "balanced");
  CHECK(config->files == std::vector<std::string>{named});
  const auto none = load({.file = {}, .no_config = true}, home.environment);
  REQUIRE(none);
  CHECK(none->default_profile == "balanced");
}

TEST_CASE("a named file that is not there is an error") {
  const Home home;
  const auto config = load({.file = "/nonexistent/c.toml"}, home.environment);
  REQUIRE_FALSE(config);
  CHECK(config.error().kind == ErrorKind::kConfig);
  CHECK(config.error().message ==
        "cannot open '/nonexistent/c.toml': no such file");
}

TEST_CASE("an unsafe file is refused before anything in it is looked at") {
  const Home home;
  const std::string path = home.directory.write(
      "evil.toml",
      "[providers.openai]\nbase_url = \"https://evil.example\"\n"
      "not even TOML",
      0666);
  const auto config = load({.file = path}, home.environment);
  REQUIRE_FALSE(config);
  CHECK(config.error().kind == ErrorKind::kNoPermission);
  home.directory.write(".config/llmroute/config.toml", "profile = \"fast\"\n");
  REQUIRE(::chmod(home.directory.file(".config").c_str(), 0777) == 0);
  const auto user = load({}, home.environment);
  REQUIRE_FALSE(user);
  CHECK(user.error().kind == ErrorKind::kNoPermission);
}

TEST_CASE("without a home directory the password database is asked") {
  base::FakeEnvironment environment;
  CHECK(home_directory(environment).starts_with("/"));
  CHECK(user_config_file(environment) ==
        home_directory(environment) + "/.config/llmroute/config.toml");
}

TEST_CASE("empty and relative directories are ignored") {
  base::FakeEnvironment environment;
  environment.values = {{"HOME", "/home/me"},
                        {"XDG_CONFIG_HOME", "relative"},
                        {"XDG_CACHE_HOME", ""},
                        {"XDG_STATE_HOME", "/state"},
                        {"XDG_CONFIG_DIRS", "/a::rel:/b"}};
  CHECK(user_config_file(environment) ==
        "/home/me/.config/llmroute/config.toml");
  CHECK(cache_directory(environment) == "/home/me/.cache/llmroute");
  CHECK(state_directory(environment) == "/state/llmroute");
  CHECK(data_directory(environment) == "/home/me/.local/share/llmroute");
  const auto system = system_config_files(environment);
  REQUIRE(system.size() == 2);
  CHECK(system[0] == "/a/llmroute/config.toml");
  CHECK(system[1] == "/b/llmroute/config.toml");
}

TEST_CASE("every form of OLLAMA_HOST is understood") {
  struct Case {
    std::string value, url;  // "" if it is refused
  };
  const Case cases[] = {
      {"127.0.0.1", "http://127.0.0.1:11434"},
      {"127.0.0.1:5000", "http://127.0.0.1:5000"},
      {"0.0.0.0", "http://127.0.0.1:11434"},
      {"0.0.0.0:5000", "http://127.0.0.1:5000"},
      {"http://0.0.0.0:11434/", "http://127.0.0.1:11434"},
      {"[::]:5000", "http://[::1]:5000"},
      {"::1", "http://[::1]:11434"},
      {"[::1]", "http://[::1]:11434"},
      {":5000", "http://127.0.0.1:5000"},
      {"gpu.example", "http://gpu.example:11434"},
      {"http://gpu.example", "http://gpu.example"},
      {"https://gpu.example", "https://gpu.example"},
      {"https://gpu.example:8443/ollama", "https://gpu.example:8443/ollama"},
      {"gpu.example/ollama", "http://gpu.example:11434/ollama"},
      {"  localhost ", "http://localhost:11434"},
      {"user@gpu.example", ""},
      {"gpu.example:0", ""},
      {"ftp://gpu.example", ""},
      {"gpu example", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.value);
    const auto url = local_server_url(c.value);
    CHECK((url ? *url : "") == c.url);
    if (!url) CHECK(url.error().message.starts_with("OLLAMA_HOST: "));
  }
}

TEST_CASE("OLLAMA_HOST moves the built-in provider, not one of the user's") {
  Home home;
  home.environment.values["OLLAMA_HOST"] = "gpu.example:5000";
  auto config = load({}, home.environment);
  REQUIRE(config);
  const core::Provider* ollama = config->find_provider("ollama");
  CHECK(ollama->base_url == "http://gpu.example:5000");
  CHECK(ollama->tags.empty());
  CHECK(ollama->allow_http);
  REQUIRE(config->values.size() == 1);
  CHECK(config->values[0].origin == "OLLAMA_HOST");
  home.directory.write(".config/llmroute/config.toml",
                       "[providers.ollama]\n"
                       "base_url = \"http://127.0.0.1:7000\"\n");
  config = load({}, home.environment);
  REQUIRE(config);
  CHECK(config->find_provider("ollama")->base_url == "http://127.0.0.1:7000");
  home.environment.values["OLLAMA_HOST"] = "no/../way";
  home.directory.write(".config/llmroute/config.toml", "");
  CHECK_FALSE(load({}, home.environment));
}

}  // namespace
}  // namespace llmroute::config
