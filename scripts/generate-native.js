// Writes src/native/bindings.generated.ts from the llama.cpp source of exactly the version that the platform
// packages were built from, so that no struct layout is ever typed by hand.
//
//   node scripts/generate-native.js                 fetches the source (npm pack + git bundle)
//   node scripts/generate-native.js --source DIR    uses a checkout of that version
//   node scripts/generate-native.js --check         exits 1 if the committed file is not what would be written
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureLayouts } from "./native/measure-layouts.js";
import { evaluate, parseDefaults, parseHeaders } from "./native/parse-c.js";
import { byteArguments, defaults, enums, functions, headers, structs } from "./native/wanted.js";

const { values } = parseArgs({ options: { source: { type: "string" }, check: { type: "boolean" } } });
const root = fileURLToPath(new URL("..", import.meta.url));
const output = join(root, "src/native/bindings.generated.ts");

const temporary = mkdtempSync(join(tmpdir(), "stepwright-headers-"));
try {
  const source = values.source ?? fetchSource(temporary);
  const text = render(source);
  if (values.check) {
    if (readFileSync(output, "utf8") !== text) {
      console.error("src/native/bindings.generated.ts is out of date: run node scripts/generate-native.js");
      process.exitCode = 1;
    }
  } else {
    writeFileSync(output, text);
    console.error(`wrote ${output}`);
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

function fetchSource(folder) {
  const version = packageVersion();
  console.error(`fetching node-llama-cpp ${version} for its copy of the llama.cpp source`);
  const run = (command, args) =>
    execFileSync(command, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  const archive = run("npm", ["pack", "--silent", `node-llama-cpp@${version}`]).trim();
  run("tar", ["-xzf", archive, "package/llama"]);
  run("git", [
    "-c",
    "advice.detachedHead=false",
    "clone",
    "--quiet",
    "package/llama/gitRelease.bundle",
    "source",
  ]);
  return join(folder, "source");
}

function packageVersion() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const versions = new Set(Object.values(optionalDependencies));
  if (versions.size !== 1) throw new Error("the platform packages must all have one version");
  return [...versions][0];
}

function render(source) {
  const read = (path) => readFileSync(join(source, path), "utf8");
  const parsed = parseHeaders(headers.map(read));
  const lookUp = (name) => parsed.constants.get(name);

  const cmake = read("CMakeLists.txt");
  const version = ["MAJOR", "MINOR", "PATCH"]
    .map((part) => new RegExp(`set\\(LLAMA_VERSION_${part}\\s+(\\d+)\\)`).exec(cmake)?.[1])
    .join(".");
  if (version.includes("undefined")) throw new Error("CMakeLists.txt no longer names the version");

  const wanted = (kind, map, name) => {
    const found = map.get(name);
    if (!found) throw new Error(`no ${kind} named ${name} in the headers`);
    return found;
  };
  const defaultValues = Object.fromEntries(
    Object.entries(defaults).map(([struct, { file, name }]) => {
      const fields = wanted("struct", parsed.structs, struct);
      const values = parseDefaults(read(file), name);
      if (values.length !== fields.length)
        throw new Error(`${name} sets ${values.length} of ${fields.length} fields`);
      return [
        struct,
        Object.fromEntries(fields.map(([field], index) => [field, evaluate(values[index], lookUp)])),
      ];
    }),
  );

  const lines = [
    "// Written by scripts/generate-native.js from the llama.cpp headers. Do not edit.",
    "",
    "/** The llama.cpp release whose memory layout this file describes. */",
    `export const llamaVersion = ${JSON.stringify(version)};`,
    "",
    "/** Values of the C enums. */",
    "export const enums = {",
    ...enums.map((name) => `  ${name}: ${object(wanted("enum", parsed.enums, name))},`),
    "} as const;",
    "",
    "/** Fields of the C structs in order: name, koffi type, array length where it is an array. Pointers are `void *`. */",
    "export const structs: Readonly<Record<string, readonly (readonly [string, string, number?])[]>> = {",
    ...structs.flatMap((name) => [
      `  ${name}: [`,
      ...wanted("struct", parsed.structs, name).map((field) => `    ${JSON.stringify(field)},`),
      "  ],",
    ]),
    "};",
    "",
    "/** Size of each struct and offset of each field in bytes, as the C compiler lays them out on 64-bit machines. */",
    "export const layouts: Readonly<Record<string, { size: number; offsets: Readonly<Record<string, number>> }>> = {",
    ...Object.entries(measureLayouts(source, headers, structs, parsed.structs)).map(
      ([name, { size, offsets }]) => `  ${name}: { size: ${size}, offsets: ${object(offsets)} },`,
    ),
    "};",
    "",
    "/** What the library's own default functions return; null is the null pointer. Checked when loading. */",
    "export const defaults: Readonly<Record<string, Readonly<Record<string, number | boolean | null>>>> = {",
    ...Object.entries(defaultValues).map(([name, fields]) => `  ${name}: ${object(fields)},`),
    "};",
    "",
    "/** Result and argument types of the functions, by the library that exports them. */",
    "export const functions = {",
    ...Object.entries(functions).flatMap(([library, names]) => [
      `  ${JSON.stringify(library)}: {`,
      ...names.map(
        (name) =>
          `    ${name}: ${JSON.stringify(prototype(name, wanted("function", parsed.functions, name)))},`,
      ),
      "  },",
    ]),
    "} as const satisfies Record<string, Record<string, readonly [string, readonly string[]]>>;",
    "",
  ];
  return lines.join("\n");
}

function prototype(name, [result, parameters]) {
  return [result, parameters.map((type, index) => (byteArguments[name]?.includes(index) ? "void *" : type))];
}

function object(map) {
  const entries = map instanceof Map ? [...map] : Object.entries(map);
  return `{ ${entries.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`;
}
