import { resolve } from "node:path";
import { bundleCatalog } from "../../content/bundle-catalog.ts";
import { pluginTree } from "../../content/plugin-tree.ts";
import { readText } from "../../edge/files/read-text.ts";
import { serve, type ServeOptions } from "../../edge/server/server.ts";
import { Failure } from "../../model/failure.ts";
import { openUnion } from "../../stages/bundle/union.ts";
import type { Context } from "../context.ts";
import { text, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTrustedBundle } from "../wire/site-session.ts";

/** Certificates with their chain; a password is shorter. */
const maxText = 1024 ** 2;

/** How long transfers may go on after the first signal. */
const drainSeconds = 30;

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const opened = await openTrustedBundle(flags, context);
  // Half a delta would answer a manifest, and then nothing for what it names.
  await using bundle = await openUnion([], opened);
  const { items } = bundle.document;
  const registry = truth(flags, "plugins-only")
    ? {}
    : { catalog: await bundleCatalog(items, bundle, { signal: context.signal }) };
  await using server = await serve({
    ...registry,
    plugins: await pluginTree(items, bundle),
    host: text(flags, "host") ?? "127.0.0.1",
    port: wholeNumber(flags, "port", 0, 65535) ?? 5000,
    ...(await tlsOf(flags, context)),
    ...(await loginOf(flags, context)),
  });
  context.reporter.report({
    type: "note",
    text: "listening",
    facts: { what: `${bundle.document.name} ${bundle.document.version}`, url: server.url },
  });
  await aborted(context.signal);
  await server.drain(drainSeconds);
  return ExitCode.done;
}

async function tlsOf(flags: Flags, context: Context): Promise<Pick<ServeOptions, "tls">> {
  const cert = text(flags, "tls-cert");
  const key = text(flags, "tls-key");
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) throw new Failure("USAGE", { what: "--tls-cert + --tls-key" });
  return {
    tls: {
      cert: await readText(resolve(context.cwd, cert), maxText),
      key: await readText(resolve(context.cwd, key), maxText),
    },
  };
}

/** The password comes from a file: argv is readable by everyone on the host. */
async function loginOf(flags: Flags, context: Context): Promise<Pick<ServeOptions, "login">> {
  const username = text(flags, "login-user");
  const file = text(flags, "login-password-file");
  if (username === undefined && file === undefined) return {};
  if (username === undefined || file === undefined)
    throw new Failure("USAGE", { what: "--login-user + --login-password-file" });
  return { login: { username, password: (await readText(resolve(context.cwd, file), maxText)).replace(/\r?\n$/, "") } };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
}
