// Runs the filter in Node's V8, as Envoy's runs it, one exchange after the other, and prints what each callback takes:
//
//   make wasm && node benches/v8.mjs [REQUEST.json [REPLY]]
//
// "warm": one after the other. "cold": with the CPU's caches emptied before each callback, which is nearer to a proxy
// that also does other things. Envoy is replaced by a stub that costs nothing, so its own part of each callback is missing.
// `node --cpu-prof benches/v8.mjs` writes a profile; CARGO_PROFILE_RELEASE_STRIP=false keeps the functions' names.

import { readFileSync } from 'node:fs';
import v8 from 'node:v8';

// Envoy's V8 optimises all code before it runs, and checks each access to memory.
v8.setFlagsFromString('--no-liftoff');
v8.setFlagsFromString('--wasm-enforce-bounds-checks');

const file = (path) => new URL(`../${path}`, import.meta.url);
const request = readFileSync(process.argv[2] ?? file('tests/fixtures/codex/q-misc.review.01.json'));
const reply = readFileSync(process.argv[3] ?? file('tests/fixtures/chat/openai/text.sse'));

// proxy-wasm ABI 0.2.1. https://github.com/proxy-wasm/spec
const OK = 0;
const NOT_FOUND = 1;
const PLUGIN_CONFIGURATION = 7;
const REQUEST_HEADERS = 0;
const CHUNK = 16384;
const [SECONDS, CACHES] = [2, 64 << 20];

const utf8 = new TextEncoder();
const configuration = utf8.encode('{}');
const requestHeaders = pairs([
  [':method', 'POST'],
  [':path', '/v1/responses'],
  [':authority', 'localhost'],
  ['content-type', 'application/json'],
  ['content-length', `${request.length}`],
  ['accept', 'text/event-stream'],
  ['x-request-id', '0b5a8e4e-4f5c-4a43-9a43-2f1b7c3f7a11'],
]);
const isStream = reply.subarray(0, 5).toString() === 'data:';
const responseHeaders = pairs([
  [':status', '200'],
  ['content-type', isStream ? 'text/event-stream' : 'application/json'],
]);

/** A header map as Envoy passes it. */
function pairs(list) {
  const texts = list.flat().map((text) => utf8.encode(text));
  const sizes = new Uint32Array([list.length, ...texts.map((text) => text.length)]);
  return Buffer.concat([Buffer.from(sizes.buffer), ...texts.flatMap((text) => [text, Buffer.of(0)])]);
}

let body = new Uint8Array();
let nanoseconds = 1_764_000_000_000_000_000n;
let metrics = 0;

const memory = () => new DataView(exports.memory.buffer);

function give(bytes, pointer, size) {
  if (bytes.length === 0) return NOT_FOUND;
  const address = exports.malloc(bytes.length);
  new Uint8Array(exports.memory.buffer).set(bytes, address);
  memory().setUint32(pointer, address, true);
  memory().setUint32(size, bytes.length, true);
  return OK;
}

const envoy = {
  proxy_get_log_level: (level) => (memory().setUint32(level, 2, true), OK),
  proxy_get_current_time_nanoseconds: (time) => (memory().setBigUint64(time, (nanoseconds += 1000n), true), OK),
  proxy_define_metric: (kind, name, size, id) => (memory().setUint32(id, ++metrics, true), OK),
  proxy_get_header_map_pairs: (map, pointer, size) =>
    give(map === REQUEST_HEADERS ? requestHeaders : responseHeaders, pointer, size),
  proxy_get_buffer_bytes: (buffer, start, length, pointer, size) =>
    give(buffer === PLUGIN_CONFIGURATION ? configuration : body, pointer, size),
};

const module = new WebAssembly.Module(readFileSync(file('target/transponder.wasm')));
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  (imports[from] ??= {})[name] = envoy[name] ?? (() => OK);
}
const { exports } = new WebAssembly.Instance(module, imports);
exports._initialize();
exports.proxy_on_context_create(1, 0);
if (!exports.proxy_on_configure(1, configuration.length)) throw new Error('the configuration is refused');

const caches = new Float64Array(CACHES / 8);

/** One exchange; adds what each callback took to `times`, in microseconds. */
function exchange(id, times, before) {
  const timed = (name, callback) => {
    before();
    const begin = process.hrtime.bigint();
    callback();
    const took = Number(process.hrtime.bigint() - begin) / 1000;
    if (!times.has(name)) times.set(name, []);
    times.get(name).push(took);
  };
  const send = (whole, callback, name) => {
    for (let at = 0; at < whole.length; at += CHUNK) {
      body = whole.subarray(at, at + CHUNK);
      timed(`${name}, ${CHUNK >> 10} kB at most`, () => callback(id, body.length, 0));
    }
    body = new Uint8Array();
    timed(`${name}, end`, () => callback(id, 0, 1));
  };
  timed('created', () => exports.proxy_on_context_create(id, 1));
  timed('request headers', () => exports.proxy_on_request_headers(id, 7, 0));
  send(request, exports.proxy_on_request_body, 'request body');
  timed('response headers', () => exports.proxy_on_response_headers(id, 2, 0));
  send(reply, exports.proxy_on_response_body, 'response body');
  timed('log', () => exports.proxy_on_log(id));
  timed('deleted', () => (exports.proxy_on_done(id), exports.proxy_on_delete(id)));
}

let exchanges = 1;
function measure(before) {
  const times = new Map();
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) exchange(++exchanges, times, before);
  return times;
}

const median = (list) => list.sort((one, other) => one - other)[list.length >> 1];
measure(() => {});
const warm = measure(() => {});
const cold = measure(() => caches.fill(exchanges));
console.log(`${request.length} bytes up, ${reply.length} bytes down; microseconds, medians`);
console.log(`${'callback'.padEnd(32)}${'warm'.padStart(9)}${'cold'.padStart(9)}`);
for (const [name, list] of warm) {
  const figures = [median(list), median(cold.get(name))].map((figure) => figure.toFixed(1).padStart(9));
  console.log(name.padEnd(32) + figures.join(''));
}
