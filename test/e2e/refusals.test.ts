import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSource } from "../../src/edge/disk/open-source.ts";
import { blobPrefix } from "../../src/model/bundle.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import { aConnectedSide, type ConnectedSide } from "../rig/connected-side.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { told, type Told } from "../rig/sentences.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const host = "harbor.airgap.example";

interface Place {
  readonly name: string;
  /** Of its header. */
  readonly start: number;
  readonly end: number;
}

async function placesIn(path: string): Promise<readonly Place[]> {
  await using bundle = await openBundle(await openSource(path));
  return [...bundle.entries]
    .map(([name, { offset, size }]) => ({ name, start: offset - 512, end: offset + Math.ceil(size / 512) * 512 }))
    .sort((a, b) => a.start - b.start);
}

describe.skipIf(unavailable !== undefined)(`what cannot be trusted${because}`, () => {
  const shared: { side?: ConnectedSide } = {};
  const side = (): ConnectedSide => shared.side as ConnectedSide;
  const carried = { good: "", signed: "" };
  let seen = 0;

  beforeAll(async () => {
    shared.side = await aConnectedSide();
    for (const name of ["ours", "theirs"]) await side().run("keygen", "--out", name);
    carried.good = await side().build("good.tar");
    carried.signed = await side().build("signed.tar", "--sign-key", join(side().folder, "theirs"));
    return () => side()[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    seen = side().registry.requests.length;
  });

  const writes = () =>
    side()
      .registry.requests.slice(seen)
      .filter(({ method }) => !["GET", "HEAD"].includes(method));
  const site = (more: object = {}) =>
    writeSampleSite(side().folder, { host, url: side().registry.origin, more: { plugins: {}, ...more } });
  async function pushed(bundle: string): Promise<Told> {
    return told(["push", bundle, "--site", await site()], side().folder);
  }
  async function changed(change: (bytes: Buffer, places: readonly Place[]) => Buffer): Promise<Told> {
    const path = join(side().folder, "changed.tar");
    await writeFile(path, change(await readFile(carried.good), await placesIn(carried.good)));
    return pushed(path);
  }
  const found = (places: readonly Place[], name: string): Place => places.find((one) => one.name.startsWith(name))!;
  const edited = (name: string, at: number) => (bytes: Buffer, places: readonly Place[]) => {
    const { start } = found(places, name);
    bytes.writeUInt8(bytes.readUInt8(start + at) ^ 1, start + at);
    return bytes;
  };

  it("a truncated bundle is refused with the place, and nothing is pushed", async () => {
    expect(await changed((bytes) => bytes.subarray(0, bytes.length - 4096))).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: "<folder>/changed.tar" is not a bundle that can be trusted: at offset <n>: the file ends before the bundle does [BUNDLE_MALFORMED]
        next: Name the bundle (NAME.tar, or a volume of it), and copy it again. If it is the same then, do not use it, and have it built again; what else is wrong, <program> verify names where the file can be read to its end. Nothing was changed.",
        "exitCode": 1,
        "zh": "✗ 离线包：“<folder>/changed.tar”不是可信的离线包：位置 offset <n>：文件在离线包结束之前就中断了 [BUNDLE_MALFORMED]
        下一步：请指定离线包（名称.tar 或其中一个分卷），并重新拷贝。如果结果相同，请勿使用，请构建者重新构建；只要文件能读到结尾，<program> verify 会列出其余问题。没有改动任何内容。",
      }
    `);
    expect(writes()).toEqual([]);
  });

  it("an extended bundle", async () => {
    expect(await changed((bytes) => Buffer.concat([bytes, Buffer.from("more")]))).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: "<folder>/changed.tar" is not a bundle that can be trusted: at offset <n>: something stands after the end of the bundle [BUNDLE_MALFORMED]
        next: Name the bundle (NAME.tar, or a volume of it), and copy it again. If it is the same then, do not use it, and have it built again; what else is wrong, <program> verify names where the file can be read to its end. Nothing was changed.",
        "exitCode": 1,
        "zh": "✗ 离线包：“<folder>/changed.tar”不是可信的离线包：位置 offset <n>：离线包结尾之后还有多余内容 [BUNDLE_MALFORMED]
        下一步：请指定离线包（名称.tar 或其中一个分卷），并重新拷贝。如果结果相同，请勿使用，请构建者重新构建；只要文件能读到结尾，<program> verify 会列出其余问题。没有改动任何内容。",
      }
    `);
    expect(writes()).toEqual([]);
  });

  it("a bundle whose entries stand in another order", async () => {
    const swapped = (bytes: Buffer, places: readonly Place[]): Buffer => {
      const [first, second] = places.slice(0, 2) as [Place, Place];
      const part = ({ start, end }: Place) => bytes.subarray(start, end);
      return Buffer.concat([part(second), part(first), bytes.subarray(second.end)]);
    };
    expect(await changed(swapped)).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: "<folder>/changed.tar" is not a bundle that can be trusted: at bundle.json: it does not stand where the format puts it [BUNDLE_MALFORMED]
        next: Name the bundle (NAME.tar, or a volume of it), and copy it again. If it is the same then, do not use it, and have it built again; what else is wrong, <program> verify names where the file can be read to its end. Nothing was changed.",
        "exitCode": 1,
        "zh": "✗ 离线包：“<folder>/changed.tar”不是可信的离线包：位置 bundle.json：所在位置不符合格式规定 [BUNDLE_MALFORMED]
        下一步：请指定离线包（名称.tar 或其中一个分卷），并重新拷贝。如果结果相同，请勿使用，请构建者重新构建；只要文件能读到结尾，<program> verify 会列出其余问题。没有改动任何内容。",
      }
    `);
    expect(writes()).toEqual([]);
  });

  it("a bundle whose list of contents was edited", async () => {
    expect(await changed(edited("bundle.json", 512 + 20))).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: "<folder>/changed.tar" is not a bundle that can be trusted: at bundle.json: it cannot be read as JSON [BUNDLE_MALFORMED]
        next: Name the bundle (NAME.tar, or a volume of it), and copy it again. If it is the same then, do not use it, and have it built again; what else is wrong, <program> verify names where the file can be read to its end. Nothing was changed.",
        "exitCode": 1,
        "zh": "✗ 离线包：“<folder>/changed.tar”不是可信的离线包：位置 bundle.json：无法按 JSON 读取 [BUNDLE_MALFORMED]
        下一步：请指定离线包（名称.tar 或其中一个分卷），并重新拷贝。如果结果相同，请勿使用，请构建者重新构建；只要文件能读到结尾，<program> verify 会列出其余问题。没有改动任何内容。",
      }
    `);
    expect(writes()).toEqual([]);
  });

  it("a bundle with an entry that leads out of its folder", async () => {
    const renamed = (bytes: Buffer, places: readonly Place[]): Buffer => {
      const { start } = found(places, "charts/");
      bytes.write("../../etc/passwd\0", start, "latin1");
      const header = bytes.subarray(start, start + 512);
      header.fill(" ", 148, 156);
      header.write(
        `${header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, "0")}\0 `,
        148,
        "latin1",
      );
      return bytes;
    };
    expect(await changed(renamed)).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: "<folder>/changed.tar" is not a bundle that can be trusted: at ../../etc/passwd: a bundle has no entry of this name [BUNDLE_MALFORMED]
        next: Name the bundle (NAME.tar, or a volume of it), and copy it again. If it is the same then, do not use it, and have it built again; what else is wrong, <program> verify names where the file can be read to its end. Nothing was changed.",
        "exitCode": 1,
        "zh": "✗ 离线包：“<folder>/changed.tar”不是可信的离线包：位置 ../../etc/passwd：离线包中不允许出现该名称的条目 [BUNDLE_MALFORMED]
        下一步：请指定离线包（名称.tar 或其中一个分卷），并重新拷贝。如果结果相同，请勿使用，请构建者重新构建；只要文件能读到结尾，<program> verify 会列出其余问题。没有改动任何内容。",
      }
    `);
    expect(writes()).toEqual([]);
  });

  it("a bundle with an edited blob: it does not reach the registry, and no tag that needs it does", async () => {
    const last = (await placesIn(carried.good)).findLast(({ name }) => name.startsWith(blobPrefix))!;
    expect(await changed(edited(last.name, 512))).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: sha256:<hex> is not what was promised: wanted sha256:<hex>, got sha256:<hex> [CONTENT_MISMATCH]
        next: Nothing of it was kept. Run the command again; if it stays, the content at that side is damaged.",
        "exitCode": 1,
        "zh": "✗ 离线包：sha256:<hex> 与声明不符：应为 sha256:<hex>，实为 sha256:<hex> [CONTENT_MISMATCH]
        下一步：没有保留任何内容。请重试；若仍如此，说明那一侧的内容已损坏。",
      }
    `);
    const digest = last.name.slice(blobPrefix.length);
    const begun = writes().filter(({ path }) => path.includes(digest));
    for (const { path } of begun) {
      const repository = /^\/v2\/(.+?)\/(?:blobs|manifests)\//.exec(path)?.[1] ?? "";
      const at = new URL(`/v2/${repository}/`, side().registry.origin);
      expect(await fetch(new URL(`blobs/sha256:${digest}`, at))).toMatchObject({ status: 404 });
      expect(await fetch(new URL("tags/list", at))).toMatchObject({ status: 404 });
    }
    expect(begun).not.toEqual([]);
  });

  it("an unsigned or wrongly signed bundle, once a key is configured", async () => {
    await site({ trustKeys: [join(side().folder, "ours.pub")] });
    const args = (bundle: string) => ["push", bundle, "--site", join(side().folder, "site.yaml")];
    expect(await told(args(carried.good), side().folder)).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: "<folder>/good.tar" carries no signature, and a key is named [BUNDLE_UNSIGNED]
        next: Have it built with --sign-key. If you accept unsigned bundles, leave out --key, and trustKeys: of the site file.",
        "exitCode": 1,
        "zh": "✗ 离线包：“<folder>/good.tar”没有签名，而已指定公钥 [BUNDLE_UNSIGNED]
        下一步：请让构建者加 --sign-key 构建；若接受未签名的包，请不加 --key，并去掉站点文件中的 trustKeys:。",
      }
    `);
    expect(await told(args(carried.signed), side().folder)).toMatchInlineSnapshot(`
      {
        "en": "✗ bundle: The signature of "<folder>/signed.tar" was not made with <folder>/ours.pub [SIGNATURE_WRONG]
        next: Ask who built the bundle for the right public key; nothing was pushed.",
        "exitCode": 1,
        "zh": "✗ 离线包：“<folder>/signed.tar”的签名不是由 <folder>/ours.pub 对应的私钥所签 [SIGNATURE_WRONG]
        下一步：请向离线包的构建者索取正确的公钥；没有推送任何内容。",
      }
    `);
    expect(writes()).toEqual([]);
  });
});
