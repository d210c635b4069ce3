import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { StepwrightError } from "../core/errors.js";
import { findBinaries, packageNames } from "./binaries.js";
import { defaults, llamaVersion } from "./bindings.generated.js";
import { describeNative } from "./describe.js";
import { loadNative, verifyDefaults, verifyVersion } from "./load.js";
import { reasonFrom } from "./native-log.js";

function caught(call: () => unknown): StepwrightError {
  try {
    call();
  } catch (error) {
    return StepwrightError.from(error);
  }
  throw new Error("nothing was thrown");
}

describe("finding the libraries", () => {
  it("tries packages with GPU support before the plain one", () => {
    expect(packageNames("linux", "x64")).toEqual([
      "@node-llama-cpp/linux-x64-cuda",
      "@node-llama-cpp/linux-x64-vulkan",
      "@node-llama-cpp/linux-x64",
    ]);
    expect(packageNames("darwin", "arm64")[0]).toBe("@node-llama-cpp/mac-arm64-metal");
  });

  it("names the package to install where there is none", () => {
    const error = caught(() => findBinaries({}, "linux", "riscv64"));
    expect(error.code).toBe("native-unavailable");
    expect(error.remedy).toContain("@node-llama-cpp/linux-riscv64");
  });

  it("says so where no package exists for the platform", () => {
    const error = caught(() => findBinaries({}, "aix", "ppc64"));
    expect(error.code).toBe("native-unavailable");
    expect(error.remedy).toContain("STEPWRIGHT_BINARIES");
  });

  it("uses the folder that the user names, and refuses one without libraries", () => {
    const folder = mkdtempSync(join(tmpdir(), "stepwright-binaries-"));
    const error = caught(() => findBinaries({ STEPWRIGHT_BINARIES: folder }));
    expect(error.code).toBe("native-unavailable");
    expect(error.subject).toBe(folder);

    for (const file of ["libggml-base.so", "libggml.v0.5.0.so", "libllama.v0.5.0.so", "libllama-common.so"]) {
      writeFileSync(join(folder, file), "");
    }
    const [binaries] = findBinaries({ STEPWRIGHT_BINARIES: folder });
    expect(binaries?.files).toEqual({
      "ggml-base": join(folder, "libggml-base.so"),
      ggml: join(folder, "libggml.v0.5.0.so"),
      llama: join(folder, "libllama.v0.5.0.so"),
    });
  });
});

describe("verifying the libraries", () => {
  it("takes the release it was written for, and its development build", () => {
    expect(() => verifyVersion(llamaVersion)).not.toThrow();
    expect(() => verifyVersion(`${llamaVersion}-dev`)).not.toThrow();
  });

  it.each(["0.4.9", `${llamaVersion}1`, ""])("refuses version %j", (version) => {
    expect(caught(() => verifyVersion(version)).code).toBe("native-mismatch");
  });

  it("names the field whose default is not the known one", () => {
    const moved = { ...defaults, llama_context_params: { ...defaults.llama_context_params, n_batch: 512 } };
    const error = caught(() => verifyDefaults(moved));
    expect(error.code).toBe("native-mismatch");
    expect(error.subject).toBe("llama_context_params.n_batch");
    expect(error.message).toContain("512");
  });

  it("refuses a struct that lacks a field", () => {
    const { kv_unified: _, ...rest } = defaults.llama_context_params!;
    const error = caught(() => verifyDefaults({ ...defaults, llama_context_params: rest }));
    expect(error.subject).toBe("llama_context_params.kv_unified");
  });
});

describe("the loaded libraries", () => {
  it("are loaded once", () => {
    expect(loadNative()).toBe(loadNative());
  });

  it("describe themselves", () => {
    const description = describeNative();
    expect(description.llamaVersion).toContain(llamaVersion);
    expect(description.verifiedFields).toBe(Object.values(defaults).flatMap(Object.keys).length);
    const cpu = description.devices.find(({ kind }) => kind === "cpu");
    expect(cpu?.memoryTotal).toBeGreaterThan(0);
    expect(description.features.length).toBeGreaterThan(0);
    expect(description.folder).not.toContain("/");
  });

  it("a collected log holds what a failing call said, and later calls are silent again", () => {
    const native = loadNative();
    const missing = join(tmpdir(), "stepwright-no-such-file.gguf");
    expect(existsSync(missing)).toBe(false);
    const { result, lines } = native.log.collect(() =>
      native.llama_model_load_from_file(missing, native.llama_model_default_params()),
    );
    expect(result).toBeNull();
    expect(reasonFrom(lines)).toContain("No such file");
    const before = lines.length;
    native.llama_model_load_from_file(missing, native.llama_model_default_params());
    expect(lines.length).toBe(before);
  });

  it("reasons keep errors and their continuation lines only, and are bounded", () => {
    expect(
      reasonFrom([
        { level: 2, text: "loading\n" },
        { level: 5, text: "...." },
        { level: 4, text: "no such tensor" },
        { level: 5, text: " blk.0\n" },
      ]),
    ).toBe("no such tensor; blk.0");
    expect(reasonFrom([{ level: 4, text: "x".repeat(10_000) }]).length).toBeLessThan(1000);
  });
});
