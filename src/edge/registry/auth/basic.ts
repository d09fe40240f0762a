import type { Login } from "./account.ts";

/** https://www.rfc-editor.org/rfc/rfc7617, with UTF-8 as registries read it. */
export function basicCredentials(login: Login): string {
  return Buffer.from(`${login.username}:${login.password}`, "utf8").toString("base64");
}

export function basicHeader(login: Login): string;
export function basicHeader(login: Login | undefined): string | undefined;
export function basicHeader(login: Login | undefined): string | undefined {
  return login === undefined ? undefined : `Basic ${basicCredentials(login)}`;
}
