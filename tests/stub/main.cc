// llmroute-stub: a provider on loopback that answers offline or as a script
// says. README.md beside this file describes its options and its script.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/json_writer.h"
#include "base/text.h"
#include "stub/server.h"

namespace llmroute::stub {
namespace {

constexpr size_t kFileLimit = 256U << 20;
constexpr int kUsage = 64;
constexpr const char* kHelp =
    "usage: llmroute-stub [OPTIONS]\n"
    "A stand-in for a model provider. Prints its ports as\n"
    "one JSON line when it is ready.\n\n"
    "  --address A        IPv4 address to listen on (127.0.0.1)\n"
    "  --port N           plain HTTP port; 0 (default) takes a free one\n"
    "  --tls              also listen with TLS, one port per certificate\n"
    "  --tls-dir DIR      where ca.pem is written (default .)\n"
    "  --script FILE      rules, one JSON object a line\n"
    "  --log FILE         append one JSON line per event\n"
    "  --prices FILE      {\"model\":{\"input\":1,\"output\":2}}, USD per 1M\n"
    "  --models A,B       what the model lists show\n"
    "  --word-delay-ms N  pause between words of the built-in answer (15)\n"
    "  --seed N           of everything random (1)\n"
    "  --exit-with-stdin  end when standard input is closed\n";

struct Options {
  int64_t port = 0;
  bool tls = false;
  bool help = false;
  bool exit_with_stdin = false;
  std::string address = "127.0.0.1";
  std::string tls_dir = ".", script, log, prices;
  std::string models = "stub-small,stub-medium,stub-large";
  int64_t word_delay_ms = 15;
  int64_t seed = 1;
};

struct Flag {
  std::string_view name;
  bool Options::*on = nullptr;
  int64_t Options::*number = nullptr;
  std::string Options::*text = nullptr;
};

constexpr Flag kFlags[] = {
    {.name = "--help", .on = &Options::help},
    {.name = "--tls", .on = &Options::tls},
    {.name = "--exit-with-stdin", .on = &Options::exit_with_stdin},
    {.name = "--port", .number = &Options::port},
    {.name = "--word-delay-ms", .number = &Options::word_delay_ms},
    {.name = "--seed", .number = &Options::seed},
    {.name = "--address", .text = &Options::address},
    {.name = "--tls-dir", .text = &Options::tls_dir},
    {.name = "--script", .text = &Options::script},
    {.name = "--log", .text = &Options::log},
    {.name = "--prices", .text = &Options::prices},
    {.name = "--models", .text = &Options::models},
};

base::Error usage_error(std::string message) {
  return {base::ErrorKind::kUsage, std::move(message)};
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

base::Result<Options> parse_options(const std::vector<std::string>& words) {
  Options options;
  for (size_t i = 0; i < words.size(); ++i) {
    const Flag* flag = find_flag(words[i]);
    if (flag == nullptr) {
      return usage_error(fmt::format("unknown option '{}'", words[i]));
    }
    if (flag->on != nullptr) {
      options.*flag->on = true;
      continue;
    }
    if (++i == words.size()) {
      return usage_error(fmt::format("{} needs a value", flag->name));
    }
    if (flag->text != nullptr) {
      options.*flag->text = words[i];
    } else if (const auto number = base::parse_int(words[i])) {
      options.*flag->number = *number;
    } else {
      return usage_error(fmt::format("{} needs a number", flag->name));
    }
  }
  if (options.port < 0 || options.port > UINT16_MAX) {
    return usage_error("--port is out of range");
  }
  return options;
}

base::Result<std::vector<Rule>> read_script(const std::string& path) {
  if (path.empty()) return std::vector<Rule>();
  LLMROUTE_TRY(const std::string text, base::read_file(path, kFileLimit));
  return Script::parse(text);
}

base::Result<Prices> read_prices(const std::string& path) {
  if (path.empty()) return Prices();
  LLMROUTE_TRY(const std::string text, base::read_file(path, kFileLimit));
  return parse_prices(text);
}

base::Result<base::Descriptor> open_log(const std::string& path) {
  if (path.empty()) return base::Descriptor();
  base::Descriptor log(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.valid()) {
    return base::Error{base::ErrorKind::kCannotCreate,
                       fmt::format("cannot open '{}'", path)};
  }
  return log;
}

// Blocks the signals in every thread; the descriptor becomes readable instead.
base::Descriptor quit_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return base::Descriptor(signalfd(-1, &signals, SFD_CLOEXEC));
}

std::string ready_line(const std::vector<Listener>& listeners,
                       const std::vector<TlsVariant>& variants) {
  base::JsonWriter json;
  json.begin_object().field("port", listeners[0].port).key("tls_port");
  variants.empty() ? json.null() : json.value(listeners[1].port);
  json.key("tls").begin_object();
  for (size_t i = 0; i < variants.size(); ++i) {
    json.field(variants[i].name, listeners[i + 1].port);
  }
  return json.end_object().end_object().take() + "\n";
}

base::Status serve(const Options& options) {
  LLMROUTE_TRY(std::vector<Rule> rules, read_script(options.script));
  LLMROUTE_TRY(Prices prices, read_prices(options.prices));
  LLMROUTE_TRY(base::Descriptor log, open_log(options.log));
  std::vector<TlsVariant> variants;
  if (options.tls) {
    LLMROUTE_TRY(variants, make_tls_variants(options.tls_dir));
  }
  std::vector<Listener> listeners;
  LLMROUTE_TRY(
      listeners.emplace_back(),
      listen_on(options.address, static_cast<uint16_t>(options.port), nullptr));
  for (const TlsVariant& variant : variants) {
    LLMROUTE_TRY(listeners.emplace_back(),
                 listen_on(options.address, 0, variant.context.get()));
  }
  const base::Descriptor quit = quit_signals();
  Script script(std::move(rules));
  Account account(std::move(prices), std::move(log));
  const Settings settings{static_cast<uint64_t>(options.seed),
                          options.word_delay_ms * 1000,
                          base::split(options.models, ',')};
  Server server(listeners, script, account, settings);
  base::write_all(STDOUT_FILENO, ready_line(listeners, variants));
  server.run(quit.get(), options.exit_with_stdin ? STDIN_FILENO : -1);
  // Threads that did not end in time still use what lives here.
  _exit(0);
}

int run(const std::vector<std::string>& words) {
  const auto options = parse_options(words);
  if (options && options->help) {
    base::write_all(STDOUT_FILENO, kHelp);
    return 0;
  }
  const base::Status status =
      options ? serve(*options) : base::Status(options.error());
  if (!status)
    fmt::print(stderr, "llmroute-stub: {}\n", status.error().message);
  return status ? 0 : kUsage;
}

}  // namespace
}  // namespace llmroute::stub

int main(int argc, char** argv) {
  return llmroute::stub::run(std::vector<std::string>(argv + 1, argv + argc));
}
