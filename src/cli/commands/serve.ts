import { resolve } from "node:path";
import { bundleCatalog, servedName } from "../../content/bundle-catalog.ts";
import { pluginTree } from "../../content/plugin-tree.ts";
import { findLogin } from "../../edge/credentials/credentials.ts";
import { loadKeyPair } from "../../edge/registry/roots.ts";
import { serve, type ServeOptions } from "../../edge/server/server.ts";
import { Failure } from "../../model/failure.ts";
import { parseReference } from "../../model/reference.ts";
import { openUnion } from "../../stages/bundle/delta.ts";
import { servePage } from "../../ui/html/serve-page.ts";
import type { Context } from "../context.ts";
import { text, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTrustedBundle } from "../wire/site-session.ts";

/** How long transfers may go on after the first signal. */
const drainSeconds = 30;

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const opened = await openTrustedBundle(flags, context);
  // Half a delta would answer a manifest, and then nothing for what it names.
  await using bundle = await openUnion([], opened);
  const { items } = bundle.document;
  const isRegistry = !truth(flags, "plugins-only");
  const registry = isRegistry ? { catalog: await bundleCatalog(items, bundle, { signal: context.signal }) } : {};
  const plugins = await pluginTree(items, bundle);
  const tls = await tlsOf(flags, context);
  await using server = await serve({
    ...registry,
    plugins,
    home: (host = "localhost") => {
      const origin = `${tls.tls === undefined ? "http" : "https"}://${host}`;
      const images = isRegistry
        ? items.map((item) => ({ item, repository: servedName(parseReference(item.reference)) }))
        : [];
      const modules = [...plugins.keys()].filter((path) => path.endsWith("/plugin.wasm")).sort();
      return servePage({ ...bundle.document, origin, images, modules }, context.language);
    },
    host: text(flags, "host") ?? "127.0.0.1",
    port: wholeNumber(flags, "port", 0, 65535) ?? 5000,
    ...tls,
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
  if (cert === undefined || key === undefined)
    throw new Failure("USAGE", { what: "--tls-cert", wrong: "with", wanted: "--tls-key" });
  return {
    tls: await loadKeyPair({ cert, key }, context.cwd),
  };
}

/** The password comes from a file: argv is readable by everyone on the host. */
async function loginOf(flags: Flags, context: Context): Promise<Pick<ServeOptions, "login">> {
  const username = text(flags, "login-user");
  const file = text(flags, "login-password-file");
  if (username === undefined && file === undefined) return {};
  if (username === undefined || file === undefined)
    throw new Failure("USAGE", { what: "--login-user", wrong: "with", wanted: "--login-password-file" });
  const source = { username, passwordFile: resolve(context.cwd, file) };
  const login = await findLogin("", { env: context.env, source });
  return login === undefined ? {} : { login };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
}
