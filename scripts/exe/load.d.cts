import type { Script } from "node:vm";

export function loader(from: {
  source(name: string): string;
  compiled?(name: string): Buffer;
  require: NodeJS.Require;
  filename: string;
  dirname: string;
  seen?(name: string, script: Script): void;
}): (name: string) => unknown;
