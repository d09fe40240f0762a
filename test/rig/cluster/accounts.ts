import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";

/** Who may speak to the server. The weak ones have no rights until restrictedKubeconfig gives them some. */
export interface Accounts {
  readonly file: string;
  readonly admin: string;
  readonly controllerManager: string;
  readonly scheduler: string;
  readonly weak: readonly { readonly user: string; readonly token: string }[];
}

// --token-auth-file is read once, at start, so users that a test may want later have to be in it from the start.
const weakUsers = 8;

export async function writeAccounts(file: string): Promise<Accounts> {
  const token = () => randomBytes(16).toString("hex");
  const accounts: Accounts = {
    file,
    admin: token(),
    controllerManager: token(),
    scheduler: token(),
    weak: Array.from({ length: weakUsers }, (_, index) => ({ user: `restricted-${String(index)}`, token: token() })),
  };
  const lines = [
    `${accounts.admin},admin,admin,"system:masters"`,
    `${accounts.controllerManager},system:kube-controller-manager,kcm`,
    `${accounts.scheduler},system:kube-scheduler,scheduler`,
    ...accounts.weak.map(({ user, token: secret }) => `${secret},${user},${user}`),
  ];
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return accounts;
}
