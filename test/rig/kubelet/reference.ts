/** An image name taken apart the way containerd does it. */
export interface ImageName {
  /** The host as it is written, with its port. */
  readonly host: string;
  readonly repository: string;
  /** A tag or a digest. */
  readonly version: string;
  /** host/repository, which an imageID begins with. */
  readonly name: string;
}

export function imageName(image: string): ImageName {
  const [untilDigest, digest] = split(image, /^(.+)@(sha256:[0-9a-f]{64})$/);
  const [place, tag] = split(untilDigest, /^(.+):([\w][\w.-]{0,127})$/);
  const { host, repository } = located(place);
  return { host, repository, version: digest ?? tag ?? "latest", name: `${host}/${repository}` };
}

function split(text: string, pattern: RegExp): readonly [string, string?] {
  const [, before, after] = pattern.exec(text) ?? [];
  return before === undefined || after === undefined ? [text] : [before, after];
}

/** Without a dot, a colon or "localhost" the first part is a user of Docker Hub and no host. */
function located(place: string): { host: string; repository: string } {
  const [, host, rest] = /^(localhost|[^/]*[.:][^/]*)\/(.+)$/.exec(place) ?? [];
  if (host !== undefined && rest !== undefined) return { host, repository: rest };
  return { host: "docker.io", repository: place.includes("/") ? place : `library/${place}` };
}
