import { createHash } from "node:crypto";

export interface TinyImage {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly repository: string;
  readonly tag: string;
  /** `user:password` */
  readonly credentials?: string;
  /** Undefined for one that does not say. */
  readonly architecture?: string | undefined;
  /** Wrapped in an index that offers it for this platform only. */
  readonly indexFor?: string;
}

/** Puts an image of one tiny layer into a registry; returns the digest its tag points to. For the rig's own tests. */
export async function pushTinyImage({ url, repository, tag, credentials, ...image }: TinyImage): Promise<string> {
  const headers: Record<string, string> =
    credentials === undefined ? {} : { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
  const send = async (method: string, to: string | URL, body?: string, type = "application/octet-stream") => {
    const response = await fetch(to, { method, headers: { ...headers, "content-type": type }, body: body ?? null });
    if (!response.ok) throw new Error(`${method} ${String(to)}: ${String(response.status)} ${await response.text()}`);
    return response;
  };
  const putBlob = async (text: string) => {
    const started = await send("POST", `${url}/v2/${repository}/blobs/uploads/`);
    const target = new URL(started.headers.get("location") ?? "", url);
    target.searchParams.set("digest", digestOf(text));
    await send("PUT", target, text);
    return { digest: digestOf(text), size: text.length };
  };
  const putManifest = async (mediaType: string, content: object, reference?: string) => {
    const text = JSON.stringify({ schemaVersion: 2, mediaType, ...content });
    const digest = digestOf(text);
    await send("PUT", `${url}/v2/${repository}/manifests/${reference ?? digest}`, text, mediaType);
    return { mediaType, digest, size: text.length };
  };

  const layer = await putBlob(`layer of ${repository}:${tag}`);
  const config = await putBlob(JSON.stringify({ os: "linux", architecture: image.architecture }));
  const manifest = await putManifest(
    "application/vnd.oci.image.manifest.v1+json",
    {
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...layer }],
    },
    image.indexFor === undefined ? tag : undefined,
  );
  if (image.indexFor === undefined) return manifest.digest;
  const platform = { os: "linux", architecture: image.indexFor };
  const index = { manifests: [{ ...manifest, platform }] };
  return (await putManifest("application/vnd.oci.image.index.v1+json", index, tag)).digest;
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
