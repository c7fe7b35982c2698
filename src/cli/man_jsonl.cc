#include "cli/man_jsonl.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "cli/roff.h"
#include "core/exit_status.h"

namespace llmroute::cli {
namespace {

// What a field holds; names that mean the same share a row.
struct FieldText {
  std::string_view names, text;
};

constexpr std::string_view kDescription =
    "JSON lines are one JSON object (RFC 8259, UTF-8) a line. `llmroute batch` "
    "reads records and writes a result for each, in the order of the input "
    "unless `--unordered` is given. Lines are numbered from 1 over all inputs. "
    "Blank lines are passed over but counted; a byte order mark at the start "
    "of "
    "an input is dropped, and so is a CR before the end of a line. A file that "
    "is one JSON array is refused with status 65.\n\n"
    "A line holds at most 16 MiB and 128 levels of nesting. Numbers that are "
    "only repeated (`id`, `meta`, `--echo`) keep their digits. Of two members "
    "of the same name in an object the line is refused.\n\n"
    "Which form a line has is seen by its fields: `custom_id` or `body` make "
    "it "
    "an OpenAI record, else it is a native one. With `--template` or "
    "`--prompt-field` every object is data, of which `a.b.0` names what lies "
    "within: the first element of b of a. With `--lines` or `-0` every line "
    "is a prompt.\n\n"
    "A record that cannot be asked is not sent. It becomes a result with an "
    "error, in its place.";

constexpr FieldText kNative[] = {
    {"id",
     "A string or a number, repeated in the result. Without it, the "
     "number of the line. A second record with the same id is an error, but "
     "for such numbers."},
    {"prompt", "The user's text. Either this or `messages`."},
    {"messages",
     "A list of objects with `role` (`system`, `developer`, `user` or "
     "`assistant`) and `content`, a string or a list of parts of type `text`. "
     "System text may stand anywhere and is joined. An assistant's message may "
     "have `tool_calls`, as OpenAI's or as in a result, each with an `id`; "
     "each is answered before the next message by one of `role` `tool` with "
     "that `tool_call_id`. The last message must be the user's or of `tool`. "
     "With calls, only models tagged `tools` are asked, and no commands; the "
     "user's last message alone is what a model is chosen for."},
    {"system",
     "System text, before that of `messages`. Without any, that of "
     "`--system`."},
    {"model",
     "The name of a model, or `auto` to have it routed as without. "
     "`--reroute` passes over it."},
    {"route", "The name of a route, in place of the default one."},
    {"max_tokens", "The answer's limit, a whole number of at least 1."},
    {"temperature", "A number from 0 to 100."},
    {"stop", "A string or a list of strings that end the answer."},
    {"seed", "A whole number of 64 bits, for providers that take one."},
    {"timeout",
     "The limit of all attempts together without the waits between "
     "them: \"30s\", \"2m\", or seconds as a number."},
    {"max_cost",
     "What this record may cost at most, in dollars. It lowers the "
     "run's ceiling and never lifts it."},
    {"fallback", "A model or a list of models to try after the chosen one."},
    {"tags", "An object of strings, for rules to match."},
    {"meta", "Any JSON; repeated in the result as it is written."},
    {"schema",
     "A JSON Schema that the answer must fit, as with `run --schema`: only "
     "models tagged `json` are asked, and a stronger one if it does not fit."},
    {"tools",
     "A list of functions that the model may ask to be called, as in the file "
     "of `run --tools`: only models tagged `tools` are asked."},
    {"tool_choice",
     "`auto`, `none`, `required`, or an object of `type` `function` with the "
     "`name` of the one to call, beside it or under `function`. Models whose "
     "protocol has no such choice (Ollama, commands) are not asked; with "
     "`none` they are, without being told of the tools."},
};

constexpr FieldText kOpenAi[] = {
    {"custom_id", "A string or a number, repeated in the result."},
    {"method", "`POST`, if it is there."},
    {"url", "`/v1/chat/completions` or `/v1/responses`."},
    {"body", "The request as its API has it; see below."},
    {"meta", "Any JSON; an addition of llmroute's."},
};

constexpr FieldText kChatBody[] = {
    {"messages", "As in a native record."},
    {"model", "As in a native record."},
    {"max_tokens, max_completion_tokens",
     "The answer's limit; of both, the lower one."},
    {"temperature, stop, seed", "As in a native record."},
    {"stream, stream_options", "Passed over: results are always whole."},
    {"n, top_logprobs, modalities",
     "Only the values that say nothing: 1, 0 and text."},
    {"tools, tool_choice",
     "As in a native record. Tools that are no functions are an error."},
    {"parallel_tool_calls",
     "With false, only those are asked whose protocol can be held to one call "
     "(not Gemini, Ollama and commands)."},
    {"response_format",
     "Of type `json_schema`: its schema is the record's `schema`; `name`, "
     "`description` and `strict` are not sent. Of type `json_object`: the "
     "schema of any object. `text` says nothing."},
    {"logprobs, functions, function_call, audio",
     "An error, unless false or an empty list."},
};

constexpr FieldText kResponsesBody[] = {
    {"input",
     "A string, or a list of messages as in a native record, with "
     "parts of type `input_text` and `output_text`; calls and what they gave "
     "are items of type `function_call` and `function_call_output`."},
    {"instructions", "System text."},
    {"model, temperature", "As in a native record."},
    {"max_output_tokens", "The answer's limit."},
    {"reasoning",
     "`effort` is sent on as `reasoning_effort`; anything else in "
     "it is an error."},
    {"text",
     "`verbosity` is sent on; `format` is as `response_format` above, with its "
     "schema beside the type."},
    {"tools, tool_choice, parallel_tool_calls", "As above."},
    {"stream, stream_options, store, metadata", "Passed over."},
    {"truncation, top_logprobs",
     "Only the values that say nothing: disabled and 0."},
    {"include, background, conversation, context_management, "
     "max_tool_calls, previous_response_id, prompt",
     "An error, unless false or an empty list."},
};

constexpr std::string_view kNeverTaken =
    "`base_url`, `api_base`, `endpoint`, `api_key`, `api_key_env`, `apikey`, "
    "`key`, `key_env`, `key_file`, `key_command`, `authorization`, `auth`, "
    "`headers`, `extra_headers`, `argv`, `command`, `cmd`, `exec`, `env`, "
    "`pass_env`, `proxy`, `ca_file`, `allow_http`, `provider`, `extra_body`, "
    "`extra_query` and `protocol`";

constexpr FieldText kResult[] = {
    {"id", "The record's, or the number of its line."},
    {"line", "The number of its line."},
    {"text",
     "The answer; null if there is none. With the error `incomplete` it is "
     "what came of it."},
    {"finish_reason",
     "Why it ended: `stop`, `length`, `filter`, `refusal`, "
     "`tool_calls` or `other`; null if there is no answer."},
    {"tool_calls",
     "Only of a record with tools. A list of the calls that the model asks "
     "for, objects as in `run --json`: `id`, null if the provider gives none; "
     "`name`; `arguments`, an object, or a string if the model wrote none."},
    {"model",
     "An object: `routed`, the name of the model decided for; `served`, "
     "what the provider says answered; `provider`, who was asked last."},
    {"route", "An object: `name`; `source`, what decided, such as `analyzer`."},
    {"usage",
     "An object: `input` and `output`, in tokens as the provider "
     "counts them, or null."},
    {"cost",
     "An object: `usd`, of all attempts, and `estimated`, true, if the "
     "provider did not say what it used and the worst case is counted. `usd` "
     "is null if no price is known; never 0 for want of knowledge."},
    {"attempts", "How often somebody was asked."},
    {"ms", "Milliseconds in all attempts; null with `--no-timing`."},
    {"meta", "The record's, or null."},
    {"input", "With `--echo` only: the record; text if it was no object."},
    {"error",
     "Null, or an object: `code`; `message`, for a person; "
     "`retryable`, whether asking later may help; `http_status` and "
     "`provider`, or null."},
};

constexpr FieldText kOpenAiResult[] = {
    {"id", "Made of the run and the line; equal runs give equal ids."},
    {"custom_id", "The record's id."},
    {"response",
     "Null if there is no answer, or an object: `status_code`, which is 200; "
     "`request_id`, the provider's if it has one; `body`, a chat completion, "
     "or "
     "for records of `/v1/responses` a response, whatever protocol the "
     "provider speaks. A call without an id is given one."},
    {"error",
     "As in a native result, but null for an answer that is there; with "
     "`--no-extras` "
     "only "
     "`code` and `message`."},
    {"llmroute",
     "Left out with `--no-extras`. An object: `line`; `model`, the "
     "one decided for; `provider`; `route`; `source`; `cost_usd`; "
     "`cost_estimated`, if it is; `attempts`; `ms`; `meta`, if the record has "
     "it; `incomplete`, why the answer is not a whole one or does not fit the "
     "schema, if so; `input`, "
     "with `--echo`."},
};

constexpr FieldText kRecordErrors[] = {
    {"bad_json",
     "Not one JSON object, nested too deeply, or with a name twice."},
    {"not_utf8", "Not UTF-8."},
    {"too_long", "The line is longer than 16 MiB."},
    {"unknown_field",
     "A field nobody knows; `--ignore-unknown` passes over it. "
     "Or one that is never taken from a record."},
    {"missing_field",
     "No prompt, no `custom_id`, no `body`, no schema in a form that has one, "
     "or no field that the template names."},
    {"bad_value", "A value of the wrong type or out of range."},
    {"bad_url", "A `url` of another API."},
    {"unsupported",
     "A request that needs more than text and functions, such as images, "
     "or other tools."},
    {"duplicate_id", "The id occurred before."},
};

constexpr FieldText kCollectErrors[] = {
    {"missing_result", "`--collect` found no result of this record."},
    {"failed",
     "A queue's error without a code; its own codes stand as they "
     "are."},
};

constexpr FieldText kManifest[] = {
    {"line, id, meta", "The record's; `meta` only if it has one."},
    {"form", "`native`, `openai-chat` or `openai-responses`."},
    {"custom_id",
     "In the request file: the record's own id if a queue takes it (1 "
     "to 64 printable ASCII characters), else `line-` and the "
     "number."},
    {"model, provider, route, source", "Where it was routed and why."},
    {"file", "The request file in the same directory."},
    {"max_tokens", "The record's own limit; only if it has one."},
    {"schema",
     "The record's, which `--collect` checks answers by; only if it has one."},
    {"tools, parallel_tool_calls, tool_choice",
     "True for its tools, and what it says of them; only if it has some."},
    {"error",
     "Null, or `code` and `message` of a record that cannot be asked; "
     "then it is in no file and the fields from `custom_id` on are "
     "left out."},
};

constexpr FieldText kHeadFrame[] = {
    {"version", "2."},
    {"run", "Identifies the run; results' ids are made of it."},
    {"config",
     "A fingerprint of configuration, router model and options that "
     "decide the answers; no keys, no limits."},
    {"match", "`line` or `id`, as `--match` says."},
    {"form", "`native`, `openai` or `as the record`, as `--out` says."},
    {"parts",
     "What `config` was made of: a fingerprint of each part by its name."},
};

constexpr FieldText kSendFrame[] = {
    {"line", "The record's."},
    {"hold",
     "What the request may cost at most. 0: the run gave up on the line while "
     "nobody answered."},
};

constexpr FieldText kRecordFrame[] = {
    {"line, id", "The record's."},
    {"input", "The first 16 bytes of the SHA-256 of its line, in hex."},
    {"ok, error", "Whether it has an answer, and the error's code or \"\"."},
    {"model, provider", "Who was asked last; \"\" if nobody was."},
    {"cost, estimated",
     "Of all attempts, null if it has no known bound; and whether a worst case "
     "is in it."},
    {"strongest", "What the strongest model would have cost, or null."},
    {"input_tokens, output_tokens", "As the provider counts them, or null."},
    {"attempts, ms", "As in the result."},
    {"earlier",
     "Of the cost, what models took that were asked before: a list of "
     "{\"model\",\"cost\"}; only if they took something."},
    {"orphaned", "What killed processes may have spent on it."},
    {"out", "The result's line, in the same bytes."},
};

constexpr FieldText kEndFrame[] = {
    {"sha256, size", "Of the output file."},
    {"ok, failed", "Records."},
    {"status", "The exit status."},
    {"input", "A fingerprint of all lines of the input."},
};

constexpr FieldText kRow[] = {
    {"prompt", "The text that is routed."},
    {"context", "Text that stands before it, as standard input does."},
    {"scores",
     "An object of model names and how well each did, from 0 to 1: outcomes."},
    {"cost", "An object of model names and dollars."},
    {"domain",
     "A label: `code`, `agentic`, `math`, `reasoning`, `knowledge`, `writing`, "
     "`chat`, `text` or `tools`, or a finer one of published data, such as "
     "`science` or `translation`. Other names are no label."},
    {"difficulty",
     "`simple`, `medium`, `hard`, or a number on the scale of abilities, at "
     "which a model of that ability succeeds every other time."},
    {"difficulty_weight",
     "How much surer that number is than a judgement, up to 1,000. 1 if it is "
     "missing."},
    {"dataset, source, eval_name",
     "The first of them that is not empty. Data sets are balanced against "
     "each other, and reported one by one; of `a/b` a is the source, the "
     "whole the group."},
    {"group", "What `bench --groups` leaves out as a whole, if not that."},
    {"paraphrase",
     "The same in rows that word one question otherwise; case and blanks do "
     "not count. They fall into one part or fold, as do copies of them, and "
     "`bench --robust` says how many go where the first goes."},
    {"answer_tokens, tokens, out_chars",
     "How long answers are; of `tokens`, "
     "an object of model names and [in, out], and of `out_chars`, of model "
     "names and characters, the mean."},
    {"answer_ratio", "Tokens of the answer for each of the prompt."},
    {"suspect", "If true, its scores are left out."},
    {"weak", "If true, it counts for less."},
    {"h2h",
     "If it is there, the scores are shares of comparisons won and are "
     "not taken for outcomes."},
    {"compose",
     "The row is a template that is filled so many times: `{text}` "
     "by prompts of other rows, `{code}` by such of domain code, `{question}` "
     "by short questions."},
};

constexpr std::string_view kInputExample =
    R"({"prompt":"Name a prime."}
{"id":"row-17","messages":[{"role":"user","content":"Hi"}],"meta":{"n":1}}
{"custom_id":"c1","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"Hi there"}]}}
{"id":"row-18","promt":"a slip"})";

constexpr std::string_view kOutputExample =
    R"lines({"id":"1","line":1,"text":"Yes.","finish_reason":"stop","model":{"routed":"small","served":"small","provider":"lab"},"route":{"name":"auto","source":"analyzer"},"usage":{"input":4,"output":1},"cost":{"usd":0.000006},"attempts":1,"ms":null,"meta":null,"error":null}
{"id":"row-17","line":2,"text":"Yes.","finish_reason":"stop","model":{"routed":"small","served":"small","provider":"lab"},"route":{"name":"auto","source":"analyzer"},"usage":{"input":1,"output":1},"cost":{"usd":0.000003},"attempts":1,"ms":null,"meta":{"n":1},"error":null}
{"id":"batch_req_0f3a7c11d2e4b596_3","custom_id":"c1","response":{"status_code":200,"request_id":"req_0f3a7c11d2e4b596_3","body":{"id":"chatcmpl-0f3a7c11d2e4b596_3","object":"chat.completion","created":0,"model":"small","choices":[{"index":0,"message":{"role":"assistant","content":"Yes.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}},"error":null,"llmroute":{"line":3,"model":"small","provider":"lab","route":"auto","source":"analyzer","cost_usd":0.000004,"attempts":1,"ms":null}}
{"id":"row-18","line":4,"text":null,"finish_reason":null,"model":{"routed":null,"served":null,"provider":null},"route":{"name":null,"source":null},"usage":{"input":null,"output":null},"cost":{"usd":0},"attempts":0,"ms":null,"meta":null,"error":{"code":"unknown_field","message":"unknown field 'promt' (did you mean 'prompt'?)","retryable":false,"http_status":null,"provider":null}})lines";

std::string heading(std::string_view level, std::string_view title) {
  return fmt::format(".{} {}\n", level, title);
}

// "a, b" with each name in bold.
std::string names_roff(std::string_view names) {
  std::string out;
  while (!names.empty()) {
    const size_t end = std::min(names.find(", "), names.size());
    if (!out.empty()) out += ", ";
    out += roff_bold(names.substr(0, end));
    names.remove_prefix(std::min(end + 2, names.size()));
  }
  return out;
}

std::string fields(std::span<const FieldText> rows) {
  std::string out;
  for (const FieldText& row : rows) {
    out += roff_item(names_roff(row.names), row.text);
  }
  return out;
}

std::string input_sections() {
  std::string out = heading("SH", "RECORDS");
  out += heading("SS", "Native") + fields(kNative);
  out += heading("SS", "OpenAI batch") +
         roff("Known by `custom_id` or `body`.") + fields(kOpenAi);
  out += ".PP\n" + roff("The `body` of `/v1/chat/completions`:") +
         fields(kChatBody);
  out +=
      ".PP\n" + roff("The `body` of `/v1/responses`:") + fields(kResponsesBody);
  out += ".PP\n" +
         roff(
             "Any other field of a body that is no list is sent on as it is "
             "to whoever is asked.");
  out += heading("SS", "Any object") +
         roff(
             "`--template` makes the prompt: `{name}` stands for that field of "
             "the object, its text or, if it is no string, its JSON; `{{` and "
             "`}}` are braces. `--prompt-field` takes one field whole. An `id` "
             "that is a string or a number is the record's. Nothing else of "
             "the object is looked at.");
  out += heading("SS", "Plain lines") +
         roff(
             "With `--lines` a line is the prompt, with `-0` all between two "
             "NUL bytes. The id is the number of the line.");
  return out + heading("SS", "What a record cannot say") +
         roff(fmt::format("Where to send, with which key, and what to run is "
                          "the configuration's alone. {} are refused in every "
                          "record, `--ignore-unknown` or not.",
                          kNeverTaken));
}

std::string error_section() {
  std::string out = heading("SH", "ERRORS") +
                    roff(
                        "The `code` of an error. Of a record that was not "
                        "sent:") +
                    fields(kRecordErrors) + ".PP\n" +
                    roff(
                        "Of one that nobody could be or was asked for, or "
                        "that failed in the end, the exit status that `run` "
                        "would have had:");
  for (const core::ExitStatusRow& row : core::exit_status_table()) {
    if (row.status == core::ExitStatus::kOk) continue;
    out += roff_item(roff_bold(core::exit_status_code(row.status)),
                     fmt::format("{}.", row.meaning));
  }
  return out + ".PP\n" + roff("And of `--collect`:") + fields(kCollectErrors);
}

std::string manifest_section() {
  return heading("SH", "MANIFEST") +
         roff(
             "`--split DIR` writes DIR/MODEL.jsonl, requests of the OpenAI "
             "Batch API, one model a file; after 50,000 lines or 200 MB, what "
             "a queue takes, MODEL-2.jsonl follows. DIR/manifest.jsonl has a "
             "line for each record in input order and appears when all is "
             "written. `--collect DIR` reads it and takes every other .jsonl "
             "file of DIR for results, in the form of OpenAI's Batch API or of "
             "Anthropic's Message Batches. A line holds:") +
         fields(kManifest);
}

std::string row_section() {
  return heading("SH", "ROWS OF TRAIN AND BENCH") +
         roff(
             "What `train` and `bench` read, one object a line. Only `prompt` "
             "must be there; what else is known of it says what a row is good "
             "for. Keys that are not named here are ignored. Rows of "
             "RouterBench's wide table are read as well: `sample_id`, "
             "`eval_name`, a column of scores for each model and its "
             "MODEL|total_cost or MODEL|model_response.") +
         fields(kRow);
}

std::string journal_section() {
  return heading("SH", "JOURNAL") +
         roff(
             "`-o OUT` keeps OUT.llmroute-journal, or the file of `--journal`. "
             "It is only appended to, readable by its owner alone, and locked "
             "while it is used. A frame is a line: 8 hex digits, the length of "
             "the payload in bytes; a blank; 8 hex digits, its CRC-32C; a "
             "blank; the payload, a JSON object whose first field, `frame`, "
             "says which. Amounts are whole picodollars (1e-12 dollars).") +
         heading("SS", "H, the first: what the batch is") + fields(kHeadFrame) +
         heading("SS", "A, with a ceiling: a request is about to be sent") +
         fields(kSendFrame) + heading("SS", "R: a record has its result") +
         fields(kRecordFrame) + heading("SS", "E, the last: OUT is written") +
         fields(kEndFrame) + ".PP\n" +
         roff(
             "A frame that is cut short at the end is what a killed process "
             "was writing, and is dropped. A bad frame before good ones is "
             "damage, unless power was lost: status 65, or with `--repair` the "
             "good ones are kept.");
}

}  // namespace

std::string jsonl_sections() {
  return heading("SH", "DESCRIPTION") + roff_paragraphs(kDescription) +
         input_sections() + heading("SH", "RESULTS") +
         roff(
             "A result has the form of its record, or the one that `--out` "
             "names. What is not known is null. Fields may be added, and never "
             "change their meaning.") +
         heading("SS", "Native") + fields(kResult) +
         heading("SS", "OpenAI batch") + fields(kOpenAiResult) +
         error_section() + manifest_section() + journal_section() +
         row_section() + heading("SH", "EXAMPLES") + "Four records:\n" +
         roff_block(kInputExample) + ".PP\n" +
         roff("and what `llmroute batch --no-timing` makes of them:") +
         roff_block(kOutputExample);
}

}  // namespace llmroute::cli
