// Measures on a real model what the scheduler's design rests on. Build first, give it a machine of its own:
//   npm run build && flock /tmp/stepwright-native.lock node scripts/native/measure-facts.js MODEL.gguf [part ...]
// Parts: exact, mixing, mixing-plain, chunks, chunks-plain, speed, invariance, invariance-unified, overhead, cells, batch, hidden, read. All of them by default.

import { loadLlamaNativeModel } from "../../dist/native/llama-native-model.js";
import { loadNative } from "../../dist/native/load.js";

const [path, ...asked] = process.argv.slice(2);
const parts = {
  exact,
  mixing,
  "mixing-plain": () => mixing(false),
  chunks,
  "chunks-plain": () => chunks(false),
  speed,
  invariance,
  "invariance-unified": () => invariance(false),
  overhead,
  cells,
  batch,
  hidden,
  read,
};
const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, bits: 0 };
const question =
  "A farmer has 17 sheep and buys 3 more pens with 8 sheep each. Then a third of all the sheep are sold at the " +
  "market for 55 coins each. How many coins does the farmer get, and how many sheep are left? Think step by step.";

for (const name of asked.length > 0 ? asked : Object.keys(parts)) {
  console.log(name, JSON.stringify(await parts[name](), null, 1));
}

function prompt(model, index = 0) {
  const text = `<|im_start|>user\n${index === 0 ? "" : `Question ${index * 7919}. `}${question}<|im_end|>\n<|im_start|>assistant\n`;
  return model.tokenize(text, { addSpecial: true, parseSpecial: true });
}

function request(output, more = {}) {
  return { output, draw: null, topK: 0, tokens: [], row: false, ...more };
}

async function decode(model, batch, options) {
  const status = await model.decode(batch, options);
  if (status !== 0) throw new Error(`status ${status}`);
}

/** Feeds tokens of a sequence one by one from a position; the rows after each. */
async function feed(model, sequence, tokens, start = 0) {
  const rows = [];
  for (const [index, token] of tokens.entries()) {
    await decode(model, [{ token, position: start + index, sequences: [sequence], output: true }]);
    rows.push(model.readRows([request(0, { row: true })])[0].row);
  }
  return rows;
}

/** One prefill of the whole prompt, then greedy tokens one by one. */
async function write(model, sequence, tokens, count) {
  await decode(
    model,
    tokens.map((token, position) => ({
      token,
      position,
      sequences: [sequence],
      output: position === tokens.length - 1,
    })),
  );
  const written = [];
  for (let step = 0; ; step++) {
    const { token } = model.readRows([request(0, { draw: greedy })])[0];
    written.push(token);
    if (step === count - 1) return written;
    await decode(model, [{ token, position: tokens.length + step, sequences: [sequence], output: true }]);
  }
}

function compare(left, right) {
  let difference = 0;
  let flips = 0;
  let equalRows = 0;
  const margins = [];
  for (const [index, row] of left.entries()) {
    const other = right[index];
    let largest = 0;
    for (let id = 0; id < row.length; id++) largest = Math.max(largest, Math.abs(row[id] - other[id]));
    difference = Math.max(difference, largest);
    if (largest === 0) equalRows++;
    const [first, second] = top(row);
    const flipped = top(other)[0];
    if (flipped !== first) {
      flips++;
      margins.push(row[first] - row[second]);
    }
  }
  return {
    rows: left.length,
    equalRows,
    largestDifference: difference,
    argMaxFlips: flips,
    marginsAtFlips: margins,
  };
}

function top(row) {
  let first = 0;
  let second = -1;
  for (let id = 1; id < row.length; id++) {
    if (row[id] > row[first]) [second, first] = [first, id];
    else if (second < 0 || row[id] > row[second]) second = id;
  }
  return [first, second];
}

async function exact() {
  const model = await loadLlamaNativeModel({
    path,
    cells: 512,
    sequences: 8,
    separateStreams: true,
    batchTokens: 64,
  });
  const tokens = prompt(model);
  const others = prompt(model, 1);
  const alone = await feed(model, 0, tokens);
  // The same tokens again, while two other sequences are fed and dropped in between.
  const among = [];
  for (const [position, token] of tokens.entries()) {
    for (const sequence of [1, 2]) {
      await decode(model, [{ token: others[position], position, sequences: [sequence], output: true }]);
    }
    if (position % 10 === 9) {
      model.removeCells(1, position - 4, -1);
      await feed(model, 1, others.slice(position - 4, position + 1), position - 4);
    }
    await decode(model, [{ token, position, sequences: [3], output: true }]);
    among.push(model.readRows([request(0, { row: true })])[0].row);
  }
  // A copy of sequence 0, cut to half, then the other text: against the same read fresh.
  const half = Math.floor(tokens.length / 2);
  model.shareCells(0, 4);
  model.removeCells(4, half, -1);
  const forked = await feed(model, 4, others.slice(0, 30), half);
  await feed(model, 5, tokens.slice(0, half));
  const fresh = await feed(model, 5, others.slice(0, 30), half);
  model.close();
  return { aloneAgainstAmong: compare(alone, among), forkAgainstFresh: compare(forked, fresh) };
}

async function mixing(repack = true) {
  const count = 200;
  const model = await loadLlamaNativeModel({ path, cells: 8192, sequences: 17, repack });
  const tokens = prompt(model);
  const written = await write(model, 0, tokens, count);
  model.removeCells(0, 0, -1);
  await decode(
    model,
    tokens.map((token, position) => ({ token, position, sequences: [0], output: false })),
  );
  const alone = await feed(model, 0, written, tokens.length);
  model.removeCells(0, 0, -1);

  // Sixteen prompts, then the same text in sequence 0 and copies of it, shifted, in the others.
  const prompts = Array.from({ length: 16 }, (_, index) => prompt(model, index));
  for (const [sequence, each] of prompts.entries()) {
    await decode(
      model,
      each.map((token, position) => ({ token, position, sequences: [sequence], output: false })),
    );
  }
  const among = [];
  for (let step = 0; step < count; step++) {
    await decode(
      model,
      prompts.map((each, sequence) => ({
        token: written[(step + sequence * 5) % count],
        position: each.length + step,
        sequences: [sequence],
        output: true,
      })),
    );
    among.push(model.readRows([request(0, { row: true })])[0].row);
  }
  model.close();
  return { repack, ...compare(alone, among) };
}

/** One prompt read in chunks of several sizes, in an empty and in a crowded cache: the row after it. */
async function chunks(repack = true) {
  const model = await loadLlamaNativeModel({ path, cells: 4096, sequences: 8, repack });
  const tokens = [...prompt(model), ...prompt(model, 1), ...prompt(model, 2)].slice(0, 200);
  const result = {};
  let first;
  for (const [name, size, crowd] of [
    ["whole", 200, 0],
    ["1", 1, 0],
    ["4", 4, 0],
    ["16", 16, 0],
    ["64", 64, 0],
    ["128", 128, 0],
    ["whole, crowded", 200, 3],
    ["7, crowded", 7, 3],
  ]) {
    for (let sequence = 0; sequence < 8; sequence++) model.removeCells(sequence, 0, -1);
    for (let other = 1; other <= crowd; other++) {
      await decode(
        model,
        prompt(model, other).map((token, position) => ({
          token,
          position,
          sequences: [other],
          output: false,
        })),
      );
    }
    for (let start = 0; start < tokens.length; start += size) {
      const chunk = tokens.slice(start, start + size);
      await decode(
        model,
        chunk.map((token, index) => ({
          token,
          position: start + index,
          sequences: [0],
          output: start + index === tokens.length - 1,
        })),
      );
    }
    const row = model.readRows([request(0, { row: true })])[0].row;
    first ??= row;
    result[name] = compare([first], [row]).largestDifference;
  }
  model.close();
  return { repack, largestDifferenceFromWhole: result };
}

/**
 * Weights not repacked, at most 63 tokens per decode: rows of sequences that are read in random pieces in shared
 * batches, rolled back and forked, against the same sequences read token by token, alone.
 */
async function invariance(separateStreams = true) {
  const { createHash } = await import("node:crypto");
  const { isBatchInvariant } = await import("../../dist/native/batch-invariance.js");
  const model = await loadLlamaNativeModel({
    path,
    cells: separateStreams ? 768 : 4096,
    sequences: 10,
    separateStreams,
    repack: false,
    batchTokens: 63,
  });
  const start = performance.now();
  const checked = await isBatchInvariant(model);
  const checkMilliseconds = Math.round(performance.now() - start);
  const digest = (row) => createHash("sha256").update(row).digest("hex");
  const length = 55;
  const texts = [0, 1, 2, 3].map((index) => prompt(model, index).slice(0, length));
  const alone = [];
  for (const text of texts) {
    alone.push((await feed(model, 0, text)).map(digest));
    model.removeCells(0, 0, -1);
  }
  // Cells of others in front, so that ours lie elsewhere in the cache.
  for (let from = 0; from < 600; from += 60) {
    const filler = Array.from({ length: 60 }, (_, index) => ({
      token: 100 + index,
      position: from + index,
      sequences: [9],
      output: false,
    }));
    await decode(model, filler);
  }
  let state = 12345;
  const random = (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  let compared = 0;
  let different = 0;
  // Sequence 4 + i takes over from i by a fork now and then.
  const place = [0, 1, 2, 3];
  const at = [0, 0, 0, 0];
  for (let round = 0; round < 60; round++) {
    const parts = [];
    let room = 63;
    for (let each = 0; each < 4; each++) {
      if (at[each] > 10 && random(5) === 0) {
        const back = 1 + random(at[each] - 1);
        model.removeCells(place[each], at[each] - back, -1);
        at[each] -= back;
      }
      if (random(6) === 0) {
        const next = place[each] < 4 ? each + 4 : each;
        model.shareCells(place[each], next);
        model.removeCells(place[each], 0, -1);
        place[each] = next;
      }
      const count = Math.min(random(3) === 0 ? 1 : random(25), room, length - at[each]);
      for (let index = 0; index < count; index++) parts.push({ each, position: at[each] + index });
      at[each] += count;
      room -= count;
    }
    if (parts.length === 0) continue;
    await decode(
      model,
      parts.map(({ each, position }) => ({
        token: texts[each][position],
        position,
        sequences: [place[each]],
        output: true,
      })),
    );
    const rows = model.readRows(parts.map((_, output) => request(output, { row: true })));
    for (const [index, { each, position }] of parts.entries()) {
      compared++;
      if (digest(rows[index].row) !== alone[each][position]) different++;
    }
  }
  model.close();
  return { separateStreams, checked, checkMilliseconds, rowsCompared: compared, rowsDifferent: different };
}

/** Milliseconds per decode by width, with repacked weights and without, interleaved. */
async function speed() {
  const models = {
    repacked: await loadLlamaNativeModel({ path, cells: 2048, sequences: 16 }),
    plain: await loadLlamaNativeModel({ path, cells: 2048, sequences: 16, repack: false }),
  };
  const times = {};
  const tokens = [...prompt(models.plain), ...prompt(models.plain, 1)];
  for (let round = 0; round < 12; round++) {
    for (const width of [1, 4, 16, 64]) {
      for (const [name, model] of Object.entries(models)) {
        const start = performance.now();
        await decode(
          model,
          tokens.slice(0, width).map((token, index) => ({
            token,
            position: width === 64 ? index : 0,
            sequences: [width === 64 ? 0 : index],
            output: width !== 64,
          })),
        );
        const key = `${name} ${width}${width === 64 ? " read" : ""}`;
        times[key] = [...(times[key] ?? []), performance.now() - start];
        for (let sequence = 0; sequence < 16; sequence++) model.removeCells(sequence, 0, -1);
      }
    }
  }
  for (const model of Object.values(models)) model.close();
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, summary(list)]));
}

async function overhead() {
  const model = await loadLlamaNativeModel({ path, cells: 2048, sequences: 4 });
  const native = loadNative();
  const bare = native.llama_model_load_from_file(path, {
    ...native.llama_model_default_params(),
    n_gpu_layers: 0,
  });
  const context = native.llama_init_from_model(bare, {
    ...native.llama_context_default_params(),
    n_ctx: 2048,
    n_batch: 512,
    n_ubatch: 512,
    n_seq_max: 4,
    n_threads: 1,
    n_threads_batch: 1,
    kv_unified: true,
  });
  const tokens = prompt(model);
  const arrays = {
    token: new Int32Array(512),
    pos: new Int32Array(512),
    n_seq_id: new Int32Array(512).fill(1),
    seq_id: new BigUint64Array(512),
    logits: new Int8Array(512),
  };
  const id = new Int32Array(1024);
  const { default: koffi } = await import("koffi");
  arrays.seq_id.fill(koffi.address(id));
  const bareDecode = (list, start) => {
    for (const [index, token] of list.entries()) {
      arrays.token[index] = token;
      arrays.pos[index] = start + index;
      arrays.logits[index] = index === list.length - 1 ? 1 : 0;
    }
    const status = native.llama_decode(context, { n_tokens: list.length, embd: null, ...arrays });
    if (status !== 0) throw new Error(`status ${status}`);
  };
  bareDecode(tokens, 0);
  const written = await write(model, 0, tokens, 200);
  model.removeCells(0, tokens.length, -1);
  const times = { ours: [], decodeOnly: [], bare: [] };
  for (const [step, token] of written.entries()) {
    const position = tokens.length + step;
    const runBare = () => {
      const start = performance.now();
      bareDecode([token], position);
      times.bare.push(performance.now() - start);
    };
    const runOurs = async () => {
      const start = performance.now();
      await decode(model, [{ token, position, sequences: [0], output: true }]);
      times.decodeOnly.push(performance.now() - start);
      model.readRows([request(0, { draw: greedy })]);
      times.ours.push(performance.now() - start);
    };
    // Each goes first every other time.
    if (step % 2 === 0) runBare();
    await runOurs();
    if (step % 2 === 1) runBare();
  }
  model.close();
  native.llama_free(context);
  native.llama_model_free(bare);
  const ratios = (list) => summary(list.map((time, index) => time / times.bare[index]));
  return {
    ...Object.fromEntries(Object.entries(times).map(([name, list]) => [name, summary(list)])),
    decodeOnlyToBare: ratios(times.decodeOnly),
    oursToBare: ratios(times.ours),
  };
}

async function cells() {
  const result = {};
  for (const separateStreams of [false, true]) {
    const model = await loadLlamaNativeModel({ path, cells: 1024, sequences: 8, separateStreams });
    const tokens = [...prompt(model), ...prompt(model, 1), ...prompt(model, 2), ...prompt(model, 3)].slice(
      0,
      256,
    );
    await decode(
      model,
      tokens.map((token, position) => ({ token, position, sequences: [0], output: false })),
    );
    const share = [];
    const remove = [];
    for (let round = 0; round < 2000; round++) {
      let start = performance.now();
      model.shareCells(0, 1);
      share.push(1000 * (performance.now() - start));
      start = performance.now();
      model.removeCells(1, 100, -1);
      remove.push(1000 * (performance.now() - start));
      model.removeCells(1, 0, -1);
    }
    // A copy between streams is made when the next decode begins.
    const after = { plain: [], copying: [] };
    for (let round = 0; round < 12; round++) {
      for (const kind of ["plain", "copying"]) {
        if (kind === "copying") model.shareCells(0, 1);
        const start = performance.now();
        await decode(model, [{ token: 100, position: tokens.length, sequences: [0], output: true }]);
        after[kind].push(performance.now() - start);
        model.removeCells(0, tokens.length, -1);
        model.removeCells(1, 0, -1);
      }
    }
    result[separateStreams ? "separate" : "unified"] = {
      nextDecodeMilliseconds: { plain: summary(after.plain), afterShare: summary(after.copying) },
      cells: tokens.length,
      shareMicroseconds: summary(share),
      trimMicroseconds: summary(remove),
    };
    model.close();
  }
  return result;
}

async function batch() {
  const model = await loadLlamaNativeModel({ path, cells: 4096, sequences: 16 });
  const tokens = prompt(model);
  const last = tokens.length - 1;
  await decode(
    model,
    tokens.slice(0, last).map((token, position) => ({ token, position, sequences: [0], output: false })),
  );
  for (let sequence = 1; sequence < 16; sequence++) model.shareCells(0, sequence);
  const times = { 1: [], 4: [], 16: [] };
  const steps = 40;
  for (let step = 0; step < steps; step++) {
    for (const width of [1, 4, 16]) {
      const rows = Array.from({ length: width }, (_, sequence) => ({
        token: tokens[(step + sequence) % last],
        position: last,
        sequences: [sequence],
        output: true,
      }));
      const start = performance.now();
      await decode(model, rows);
      model.readRows(
        rows.map((_, output) => request(output, { draw: { ...greedy, temperature: 0.8, bits: 1e9 } })),
      );
      times[width].push(performance.now() - start);
      for (let sequence = 0; sequence < width; sequence++) model.removeCells(sequence, last, -1);
    }
  }
  model.close();
  return Object.fromEntries(
    Object.entries(times).map(([width, list]) => [
      width,
      { ...summary(list), tokensPerSecond: (1000 * width) / summary(list).median },
    ]),
  );
}

async function hidden() {
  const model = await loadLlamaNativeModel({ path, cells: 2048, sequences: 4 });
  const tokens = prompt(model).slice(0, 32);
  const times = { withoutLogits: [], lastLogits: [], hidden: [] };
  const entries = (output) =>
    tokens.map((token, position) => ({ token, position, sequences: [0], output: output || false }));
  for (let round = 0; round < 8; round++) {
    for (const [name, list, options] of [
      ["withoutLogits", entries(false), {}],
      ["lastLogits", entries(false).map((entry, index) => ({ ...entry, output: index === 31 })), {}],
      ["hidden", entries(true), { hidden: true }],
    ]) {
      const start = performance.now();
      await decode(model, list, options);
      times[name].push(performance.now() - start);
      model.removeCells(0, 0, -1);
    }
  }
  model.close();
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, summary(list)]));
}

async function read() {
  const model = await loadLlamaNativeModel({ path, cells: 2048, sequences: 4 });
  const tokens = prompt(model);
  await decode(
    model,
    tokens.map((token, position) => ({
      token,
      position,
      sequences: [0],
      output: position === tokens.length - 1,
    })),
  );
  const kinds = {
    greedy: { draw: greedy },
    nothing: {},
    "temperature 1": { draw: { ...greedy, temperature: 1, bits: 123456789 } },
    "temperature 0.7": { draw: { ...greedy, temperature: 0.7, bits: 123456789 } },
    "temperature 0.7, top-p 0.95": { draw: { ...greedy, temperature: 0.7, topP: 0.95, bits: 123456789 } },
    "greedy and top 20": { draw: greedy, topK: 20 },
    row: { row: true },
  };
  const times = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
  for (let round = 0; round < 200; round++) {
    for (const [name, more] of Object.entries(kinds)) {
      const start = performance.now();
      model.readRows([request(0, more)]);
      times[name].push(performance.now() - start);
    }
  }
  model.close();
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, summary(list)]));
}

function summary(list) {
  const sorted = list.toSorted((left, right) => left - right);
  const at = (share) => Number(sorted[Math.floor(share * (sorted.length - 1))].toPrecision(4));
  return { median: at(0.5), best: at(0), p90: at(0.9) };
}
