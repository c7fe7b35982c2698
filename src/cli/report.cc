#include "cli/report.h"

#include <unistd.h>

#include "app/messages.h"
#include "base/files.h"
#include "base/json_writer.h"
#include "base/terminal_text.h"

namespace llmroute::cli {
std::string error_json(const base::Error& error) {
  const core::ExitStatus status = core::exit_status(error.kind);
  base::JsonWriter json;
  json.begin_object()
      .field("code", core::exit_status_code(status))
      .field("exit", static_cast<int>(status))
      .field("retryable", status == core::ExitStatus::kTryLater)
      .field("message", base::visible_line(app::redacted(error.message)))
      .end_object();
  return json.take();
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
