/**
 * Runs Python that nobody has read, in a process that can reach nothing: what models write for human-eval.
 *
 * Linux only. New user, mount, network, process and IPC namespaces; a root of its own that holds /usr read-only and an
 * empty /tmp in memory; no capability, no way to gain one, no inherited environment; limits of time, memory, file size
 * and processes. Not a virtual machine: it rests on the kernel. Elsewhere, and where the kernel or an administrator
 * forbids user namespaces, it refuses.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StepwrightError } from "../../core/errors.js";

export interface SandboxLimits {
  /** Wall and processor seconds. */
  readonly seconds: number;
  /** Bytes of address space, Python's own included. */
  readonly memory: number;
  /** Bytes of all files together, and of what is printed. */
  readonly files: number;
}

export const usualLimits: SandboxLimits = { seconds: 10, memory: 1024 * 2 ** 20, files: 16 * 2 ** 20 };

export interface SandboxRun {
  /** Of the program; null where it was killed. */
  readonly exitCode: number | null;
  /** What it printed, at most 64 KiB of it. */
  readonly output: string;
}

const mostOutput = 64 * 1024;
const python = "/usr/bin/python3";

/**
 * Builds the root in memory, then gives up every privilege. $1: an empty folder; $2: bytes of files; $3: seconds;
 * $4: bytes of memory. Nothing that a program contains is ever part of a command.
 */
const script = `
set -e
root=$1
mount -t tmpfs -o "size=$2,mode=755,nosuid,nodev" tmpfs "$root"
mkdir "$root/usr" "$root/tmp" "$root/dev"
mount --rbind /usr "$root/usr"
mount -o remount,bind,ro,nosuid,nodev "$root/usr"
for name in bin sbin lib lib64; do
  if [ -L "/$name" ]; then ln -s "usr/$name" "$root/$name"
  elif [ -d "/$name" ]; then mkdir "$root/$name"; mount --rbind "/$name" "$root/$name"; mount -o remount,bind,ro,nosuid,nodev "$root/$name"
  fi
done
touch "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
chmod 1777 "$root/tmp"
cd "$root"
exec chroot "$root" /usr/bin/setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all \\
  /usr/bin/prlimit "--as=$4" "--cpu=$3" "--fsize=$2" --nofile=64 --nproc=512 --core=0 \\
  /usr/bin/env -i -C /tmp PATH=/usr/bin HOME=/tmp LANG=C.UTF-8 ${python} -I -B -
`;

/** The program goes in over standard input: it is no file and no argument. Throws `sandbox-unavailable`. */
export async function runPython(program: string, limits: SandboxLimits = usualLimits): Promise<SandboxRun> {
  checked ??= checkSandbox();
  await checked;
  return run(program, limits);
}

let checked: Promise<void> | undefined;

/** Tries the walls once per process. Throws `sandbox-unavailable`, with the first thing that does not hold. */
async function checkSandbox(): Promise<void> {
  if (process.platform !== "linux") throw unavailable(`there is none for ${process.platform}`);
  for (const tool of [python, "/usr/bin/setpriv", "/usr/bin/prlimit"]) {
    await access(tool).catch(() => {
      throw unavailable(`${tool} is missing`);
    });
  }
  const { exitCode, output } = await run(probe(), usualLimits);
  if (exitCode === 0 && output.trim() === "walls hold") return;
  const reason = output.trim().split("\n").at(-1) || "new namespaces are forbidden here";
  throw unavailable(`this system gives none: ${reason.slice(0, 200)}`);
}

/** Each line must fail; the first that works is printed. */
function probe(): string {
  const attempts: [name: string, code: string][] = [
    ["the network", "import socket; socket.create_connection(('127.0.0.1', 1), 1)"],
    ["processes", "import os; os.listdir('/proc')"],
    ["files of the system", "open('/etc/passwd')"],
    ["files of the user", "import os; assert os.listdir('/root') or True"],
    ["writing to /usr", "open('/usr/sandbox-probe', 'w')"],
    ["mounting", "import ctypes; assert ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) == 0"],
    ["new namespaces", "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0"],
  ];
  const tests = attempts.map(
    ([name, code]) =>
      `try:\n    ${code}\n    print("it leaves open: ${name}")\n    raise SystemExit(1)\nexcept (OSError, AssertionError):\n    pass`,
  );
  return `${tests.join("\n")}\nprint("walls hold")\n`;
}

async function run(program: string, { seconds, memory, files }: SandboxLimits): Promise<SandboxRun> {
  const root = await mkdtemp(join(tmpdir(), "stepwright-sandbox-"));
  const sizes = [files, Math.ceil(seconds), memory].map(String);
  const namespaces = ["--user", "--map-root-user", "--mount", "--net", "--pid", "--ipc", "--uts"];
  try {
    const child = spawn(
      "unshare",
      [...namespaces, "--fork", "--kill-child=SIGKILL", "/bin/sh", "-c", script, "sandbox", root, ...sizes],
      { stdio: ["pipe", "pipe", "pipe"], env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, cwd: "/" },
    );
    return await follow(child, program, seconds);
  } catch (cause) {
    throw StepwrightError.is(cause) ? cause : unavailable((cause as Error).message);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function follow(child: ChildProcess, program: string, seconds: number): Promise<SandboxRun> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.length <= mostOutput) return;
      output = output.slice(0, mostOutput);
      child.kill("SIGKILL");
    };
    child.stdout!.on("data", take);
    child.stderr!.on("data", take);
    // A program that ends early does not read all of itself.
    child.stdin!.on("error", () => {});
    child.stdin!.end(program);
    child.on("error", reject);
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output });
    });
  });
}

function unavailable(reason: string): StepwrightError {
  return new StepwrightError("sandbox-unavailable", `code cannot be run in a sandbox: ${reason}`, {
    remedy:
      "use Linux with python3, setpriv and prlimit in /usr/bin and unprivileged user namespaces; nothing is run without it",
  });
}
