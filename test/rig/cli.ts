import { execa } from "execa";
import { fileURLToPath } from "node:url";

export interface CliResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export const program = fileURLToPath(new URL("../../dist/main.mjs", import.meta.url));

/** Runs the built program as a user does, with nothing of our environment but what is given. */
export async function cli(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string>; signal?: AbortSignal },
): Promise<CliResult> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [program, ...args], {
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
