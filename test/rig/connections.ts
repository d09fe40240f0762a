import { execFileSync } from "node:child_process";

/** Why nothing can be run apart from the network and be watched here; undefined when it can. */
export function isolationUnavailable(): string | undefined {
  for (const command of [
    ["strace", "-f", "-e", "trace=connect", "true"],
    [...apart, "true"],
  ] as const) {
    const [program, ...args] = command;
    try {
      execFileSync(program, args, { stdio: "ignore", timeout: 120_000 });
    } catch {
      return program === "strace"
        ? "strace is not here, or may not trace: install Debian's strace, allow ptrace"
        : "unshare makes no network of its own here: be root, or allow user namespaces";
    }
  }
  return undefined;
}

/** Starts a program in a network that has loopback and nothing else: no route leads out of it. */
export const apart = [
  "unshare",
  "--user",
  "--map-root-user",
  "--net",
  "--",
  "sh",
  "-c",
  'ip link set lo up && exec "$@"',
  "sh",
] as const;

/** `strace` before a command: every address that it and its children turn to goes to `file`. */
export function watched(file: string): readonly string[] {
  return ["strace", "-f", "-qq", "-s", "64", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", file];
}

export interface Attempt {
  readonly address: string;
  readonly port: number;
  /** The whole line, for the message of a failed test. */
  readonly line: string;
}

const address =
  /sin6?_port=htons\((?<port>\d+)\).*?(?:sin_addr=inet_addr\("(?<v4>[^"]+)"\)|inet_pton\(AF_INET6, "(?<v6>[^"]+)")/;

/** Each address that was turned to, once; sockets of this machine's own programs (AF_UNIX, AF_NETLINK) lead nowhere. */
export function attemptsIn(trace: string): readonly Attempt[] {
  const found = trace.split("\n").flatMap((line): readonly Attempt[] => {
    const { port, v4, v6 } = address.exec(line)?.groups ?? {};
    return port === undefined ? [] : [{ address: v4 ?? v6 ?? "", port: Number(port), line }];
  });
  return [...new Map(found.map((one) => [`${one.address} ${String(one.port)}`, one])).values()];
}
