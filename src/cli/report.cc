#include "cli/report.h"

#include <unistd.h>

#include "app/messages.h"
#include "app/result.h"
#include "base/files.h"
#include "base/json_writer.h"

namespace llmroute::cli {
std::string error_json(const base::Error& error) {
  base::JsonWriter json;
  json.begin_object();
  app::write_error_members(json, error);
  return json.end_object().take();
}

core::ExitStatus report(const base::Error& error,
                        const app::MessageOptions& options) {
  if (options.error_format == app::Format::kJson) {
    // A stderr that cannot be written changes nothing.
    (void)base::write_all(STDERR_FILENO, error_json(error) + "\n");
  } else {
    app::Messages(options).error(error.message);
  }
  return core::exit_status(error.kind);
}

}  // namespace llmroute::cli
