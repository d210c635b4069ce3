/** Finds the compiled libraries: in the platform packages that npm installed, or in a folder that the user names. */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { StepwrightError } from "../core/errors.js";

/** The environment variable that names a folder of libraries to use instead of the installed packages. */
export const binariesVariable = "STEPWRIGHT_BINARIES";

export interface Binaries {
  /** npm package, or null for a folder the user named. */
  readonly package: string | null;
  readonly version: string | null;
  readonly folder: string;
  /** Full paths, in the order in which they must be loaded. */
  readonly files: Readonly<Record<"ggml-base" | "ggml" | "llama", string>>;
}

/** Package names to try, best first: variants with GPU support before plain CPU ones. */
export function packageNames(platform: string, architecture: string): string[] {
  const system = { linux: "linux", darwin: "mac", win32: "win" }[platform];
  if (system === undefined) return [];
  const base = `@node-llama-cpp/${system}-${architecture}`;
  const variants = system === "mac" ? ["-metal", ""] : ["-cuda", "-vulkan", ""];
  return variants.map((variant) => `${base}${variant}`);
}

/**
 * Every usable set of libraries, best first. Throws `native-unavailable`, naming the package to install, when
 * there is none, or when the folder that the user named holds none.
 */
export function findBinaries(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  architecture: string = process.arch,
): Binaries[] {
  const named = environment[binariesVariable];
  if (named) {
    const files = libraryFiles(named);
    if (files) return [{ package: null, version: null, folder: named, files }];
    throw new StepwrightError(
      "native-unavailable",
      `${binariesVariable} names a folder without llama.cpp libraries`,
      {
        remedy: `unset ${binariesVariable}, or let it name a folder with libggml-base, libggml and libllama`,
        subject: named,
      },
    );
  }
  const names = packageNames(platform, architecture);
  const found = names.map(installedBinaries).filter((binaries) => binaries !== undefined);
  if (found.length > 0) return found;
  const wanted = names.at(-1);
  throw new StepwrightError(
    "native-unavailable",
    wanted === undefined || architecture === "ia32"
      ? `there are no llama.cpp libraries for ${platform} on ${architecture}`
      : `the llama.cpp libraries for ${platform} on ${architecture} are not installed`,
    {
      remedy:
        wanted === undefined
          ? `build llama.cpp and let ${binariesVariable} name the folder of its libraries`
          : `run: npm install ${platform === "darwin" && architecture === "arm64" ? names[0] : wanted}`,
    },
  );
}

function installedBinaries(name: string): Binaries | undefined {
  const require = createRequire(import.meta.url);
  let main: string;
  try {
    main = require.resolve(name);
  } catch {
    return undefined;
  }
  const root = dirname(dirname(main));
  const folder = join(root, "bins", name.slice(name.indexOf("/") + 1));
  const files = libraryFiles(folder);
  const { version } = require(join(root, "package.json")) as { version: string };
  return files && { package: name, version, folder, files };
}

/** Library files carry the release in their names: libllama.v0.5.0.so, llama.dll. */
function libraryFiles(folder: string): Binaries["files"] | undefined {
  if (!existsSync(folder)) return undefined;
  const entries = readdirSync(folder);
  const find = (name: string) => {
    const pattern = new RegExp(`^(lib)?${name}(\\.v?[\\d.]+)?\\.(so|dylib|dll)(\\.[\\d.]+)?$`);
    const file = entries.find((entry) => pattern.test(entry));
    return file === undefined ? undefined : join(folder, file);
  };
  const base = find("ggml-base");
  const ggml = find("ggml");
  const llama = find("llama");
  return base && ggml && llama ? { "ggml-base": base, ggml, llama } : undefined;
}
