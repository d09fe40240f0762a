import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

/** A revision of a release, as helm keeps it (Helm 3.17, 4.1 and 4.2). */
export interface ReleaseSecret {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly type: string;
  readonly data: { readonly release: string };
}

/** The body is JSON, gzipped, in base64, in the Secret's own base64. */
export async function withRelease(
  secret: ReleaseSecret,
  changed: { name?: string; status?: string },
): Promise<ReleaseSecret> {
  const packed = Buffer.from(Buffer.from(secret.data.release, "base64").toString(), "base64");
  const release = JSON.parse((await promisify(gunzip)(packed)).toString()) as {
    name: string;
    info: { status: string };
  };
  release.name = changed.name ?? release.name;
  release.info.status = changed.status ?? release.info.status;
  const repacked = (await promisify(gzip)(JSON.stringify(release))).toString("base64");
  return { ...secret, data: { release: Buffer.from(repacked).toString("base64") } };
}
