// Counts the tokens of tests/unit/core/token_corpus.tsv anew, in place.
//
//   npm install gpt-tokenizer@4.0.0 @anthropic-ai/tokenizer@0.0.4 \
//     llama-tokenizer-js@1.2.2 mistral-tokenizer-js@1.0.0
//   node tools/token_corpus.mjs tests/unit/core/token_corpus.tsv
//
// The columns: o200k_base and cl100k_base (GPT-4o and later, GPT-4), the
// tokenizer published for Claude 2, those of Llama 2 and Mistral 7B, each
// without marks of a beginning, and the text as a JSON string.
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {resolve} from 'node:path';

const from = createRequire(resolve('package.json'));
const load = (name) => import(from.resolve(name));
const o200k = await load('gpt-tokenizer/encoding/o200k_base');
const cl100k = await load('gpt-tokenizer/encoding/cl100k_base');
const claude = await load('@anthropic-ai/tokenizer');
const llama = (await load('llama-tokenizer-js')).default;
const mistral = (await load('mistral-tokenizer-js')).default;

const plain = {disallowedSpecial: new Set()};
const counters = [
  (text) => o200k.encode(text, plain).length,
  (text) => cl100k.encode(text, plain).length,
  (text) => claude.countTokens(text),
  (text) => llama.encode(text, false).length,
  (text) => mistral.encode(text, false).length,
];

const path = process.argv[2];
const lines = readFileSync(path, 'utf8').split('\n').filter((line) => line);
writeFileSync(path, lines.map((line) => {
  if (line.startsWith('#')) return line + '\n';
  const cells = line.split('\t');
  const text = JSON.parse(cells.at(-1));
  const counts = counters.map((count) => count(text));
  return [cells[0], ...counts, cells.at(-1)].join('\t') + '\n';
}).join(''));
