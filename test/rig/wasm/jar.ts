import { crc32, deflateRawSync } from "node:zlib";

export interface ZipFile {
  readonly content: string | Uint8Array;
  /** Stored as it is, like jars inside jars. */
  readonly stored?: boolean;
  /** Sizes and checksum behind the data, as `jar` itself writes them. */
  readonly descriptor?: boolean;
  /** What the headers lie about. */
  readonly says?: {
    readonly size?: number;
    readonly crc32?: number;
    readonly localName?: string;
    readonly flags?: number;
    readonly method?: number;
  };
}

export interface ZipOptions {
  readonly prefix?: string;
  readonly comment?: string;
}

/** A zip of these files in this order; every field that a reader could trust can be made wrong. */
export function aZip(files: Readonly<Record<string, string | Uint8Array | ZipFile>>, options: ZipOptions = {}): Buffer {
  const { prefix = "", comment = "" } = options;
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, given] of Object.entries(files)) {
    const file: ZipFile = typeof given === "string" || given instanceof Uint8Array ? { content: given } : given;
    const entry = encode(name, file, offset);
    local.push(entry.local);
    central.push(entry.central);
    offset += entry.local.byteLength;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.byteLength, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([Buffer.from(prefix), ...local, directory, end, Buffer.from(comment)]);
}

function encode(name: string, file: ZipFile, offset: number): { readonly local: Buffer; readonly central: Buffer } {
  const content = Buffer.from(file.content);
  const packed = file.stored === true ? content : deflateRawSync(content);
  const says = {
    size: content.byteLength,
    crc32: crc32(content),
    flags: 0,
    method: file.stored === true ? 0 : 8,
    ...file.says,
  };
  const described = file.descriptor === true;
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(says.flags | (described ? 8 : 0), 2);
  fields.writeUInt16LE(says.method, 4);
  fields.writeUInt32LE(says.crc32, 10);
  fields.writeUInt32LE(packed.byteLength, 14);
  fields.writeUInt32LE(says.size, 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  const sizes = fields.subarray(10, 22);
  const header = Buffer.from(fields);
  if (described) header.fill(0, 10, 22);
  const localName = Buffer.from(says.localName ?? name);
  header.writeUInt16LE(localName.byteLength, 22);
  const local = [word(0x04034b50), header, localName, packed, ...(described ? [word(0x08074b50), sizes] : [])];
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(offset, 10);
  return {
    local: Buffer.concat(local),
    central: Buffer.concat([word(0x02014b50), Buffer.from([20, 0]), fields, rest, Buffer.from(name)]),
  };
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
