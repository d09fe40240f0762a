import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Whether an Authorization header (RFC 7617) is this login; takes as long for a near miss as for nonsense. */
export type Admits = (authorization: string | undefined) => boolean;

export function basicLogin({ username, password }: Login): Admits {
  // Equal length for any input, under a key that nobody can aim at.
  const key = randomBytes(32);
  const mark = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const wanted = mark(`${username}:${password}`);
  return (authorization) => {
    const given = /^Basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(mark(Buffer.from(given, "base64").toString("utf8")), wanted);
  };
}
