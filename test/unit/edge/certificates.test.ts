import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCertificates } from "../../../src/edge/registry/roots.ts";
import { aTempDirectory, type TempDirectory } from "../../rig/temp-directory.ts";
import { aCertificateAuthority, type CertificateAuthority } from "../../rig/tls.ts";

let directory: TempDirectory;
let company: CertificateAuthority;
const file = (name: string): string => join(directory.path, name);

beforeAll(async () => {
  directory = await aTempDirectory();
  company = await aCertificateAuthority();
  await writeFile(file("notes.txt"), "Ask Wang for the certificate.\n");
});
afterAll(async () => {
  await company[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

describe("a CA file", () => {
  it.each([
    ["pem", "PKCS#7: openssl pkcs7"],
    ["der", "PKCS#7 (DER): openssl pkcs7 -inform der"],
  ])("of PKCS#7 (%s) is named, with the command that reads it", async (form, words) => {
    const out = file(`bundle-${form}.p7b`);
    execFileSync("openssl", ["crl2pkcs7", "-nocrl", "-certfile", company.caFile, "-outform", form, "-out", out]);
    const problems = `${words} -print_certs -in ${out} -out ca.pem`;
    await expect(readCertificates(out)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      facts: { file: out, problems },
    });
  });

  it.each([
    ["with a byte order mark", (text: string) => Buffer.from(`\ufeff${text}`)],
    ["with the line ends of Windows", (text: string) => Buffer.from(text.replaceAll("\n", "\r\n"))],
    ["in UTF-16", (text: string) => Buffer.from(`\ufeff${text}`, "utf16le")],
  ])("%s is the same certificate, and given on to nodes as they read it", async (_what, saved) => {
    const text = await readFile(company.caFile, "utf8");
    await writeFile(file("windows.pem"), saved(text));
    expect(await readCertificates(file("windows.pem"))).toBe(text);
  });

  it.each([
    ["with its private key above it", (text: string, key: string) => key + text],
    ["with its private key below it", (text: string, key: string) => text + key],
    ["with what openssl says of it", (text: string) => `Certificate:\n    Data:\n${text}`],
    ["indented by a mail", (text: string) => text.replaceAll(/^/gm, "  ")],
    ["on one line", (text: string) => text.replaceAll("\n", "")],
  ])("%s gives the certificate to nodes, and nothing else", async (_what, saved) => {
    const [text, key] = [await readFile(company.caFile, "utf8"), await readFile(company.keyFile, "utf8")];
    await writeFile(file("more.pem"), saved(text, key));
    expect(await readCertificates(file("more.pem"))).toBe(text);
  });

  it.each([
    ["cut off", (text: string) => text.slice(0, text.length / 2)],
    ["cut off behind a whole one", (text: string) => text + text.slice(0, text.length / 2), 2],
    ["damaged", (text: string) => text.replace("MII", "MIA")],
  ])("that is %s is refused before anybody is given it", async (_what, saved, which = 1) => {
    await writeFile(file("broken.pem"), saved(await readFile(company.caFile, "utf8")));
    const problems = `certificate ${String(which)} in this file is cut off or damaged: copy it again`;
    await expect(readCertificates(file("broken.pem"))).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      facts: { problems },
    });
  });

  it("in UTF-16 that no mark announces is said to be that", async () => {
    await writeFile(file("windows.pem"), Buffer.from(await readFile(company.caFile, "utf8"), "utf16le"));
    await expect(readCertificates(file("windows.pem"))).rejects.toMatchObject({
      code: "FILE_ENCODING",
      facts: { encoding: "UTF-16LE" },
    });
  });

  it.each([
    ["a key", () => company.keyFile, "expected a certificate, not a private key"],
    ["no certificate at all", () => file("notes.txt"), "expected a certificate, PEM or DER"],
  ])("that is %s is refused, and said to be", async (_what, path, problems) => {
    await expect(readCertificates(path())).rejects.toMatchObject({ code: "CONFIG_INVALID", facts: { problems } });
  });
});
