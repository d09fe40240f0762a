import { execa } from "execa";
import { join, resolve } from "node:path";

export interface CliResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const root = resolve(import.meta.dirname, "../..");
/** The single executable for this machine, where `npm run build:exe` puts it. */
export const executable = join(root, `dist-exe/higress-airgap-linux-${process.arch === "arm64" ? "arm64" : "amd64"}`);
/** How the program is started: `dist` by this Node, or the executable by itself (vitest.config.ts says which). */
export const program: readonly [string, ...string[]] =
  process.env["HIGRESS_AIRGAP_TEST_PROGRAM"] === "executable"
    ? [executable]
    : [process.execPath, join(root, "dist/main.mjs")];

/** Runs the built program as a user does, with nothing of our environment but what is given. */
export async function cli(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string>; signal?: AbortSignal },
): Promise<CliResult> {
  const [command, ...first] = program;
  const { exitCode, stdout, stderr } = await execa(command, [...first, ...args], {
    cwd: options.cwd,
    // Without its executables a bundle is 250 MB smaller; the test that wants them says so.
    env: { PATH: "/usr/bin:/bin", HOME: options.cwd, HIGRESS_AIRGAP_EXE_DIR: "", ...options.env },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  return { exitCode, stdout, stderr };
}
