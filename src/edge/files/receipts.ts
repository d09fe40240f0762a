import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { Receipt } from "../../model/receipt.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { readText } from "./read-text.ts";
import { replaceFile } from "./replace.ts";

export interface ReceiptDirectory {
  /** Oldest first; empty when there is no directory yet. */
  list(): Promise<readonly Receipt[]>;
  /** `receipt-0001.json` and so on; one number, one file, replaced as the install goes on. */
  save(receipt: Receipt): Promise<void>;
}

const shape = /^receipt-\d{4}\.json$/;
const maxBytes = 8 * 1024 ** 2;

export function receiptDirectory(path: string): ReceiptDirectory {
  return {
    async list() {
      const names = await readdir(path).catch((error: unknown) => {
        if (codeOf(error) === "ENOENT") return [];
        throw new Failure("FILE_UNREADABLE", { path, reason: codeOf(error) }, { cause: error });
      });
      const files = names.filter((name) => shape.test(name)).sort();
      return Promise.all(files.map((name) => readReceipt(join(path, name))));
    },
    async save(receipt) {
      const target = join(path, `receipt-${String(receipt.number).padStart(4, "0")}.json`);
      // A receipt that could not be read again would take rollback and uninstall with it; the one before stays.
      if (!Receipt.safeParse(receipt).success)
        throw new Failure("CONFIG_INVALID", { file: target, problems: "receipt" });
      await replaceFile(target, canonicalJson(receipt), { mode: 0o600, folderMode: 0o700 });
    },
  };
}

async function readReceipt(path: string): Promise<Receipt> {
  const text = await readText(path, maxBytes);
  try {
    return Receipt.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure("CONFIG_INVALID", { file: path, problems: "receipt" }, { cause: error });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown";
}
