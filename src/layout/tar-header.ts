/** Bytes of a block: a header, or a part of a body (POSIX.1-2001, "ustar Interchange Format"). */
export const blockBytes = 512;

/** A header as it stands there. */
export interface TarHeader {
  readonly name: string;
  readonly type: string;
  /** Of the body, bytes. */
  readonly size: number;
}

/** What extended headers say of the entry that follows. */
export interface TarOverrides {
  readonly name?: string;
  readonly size?: number;
}

const checksumField = { start: 148, end: 156 } as const;

/** @returns `end` for an empty block, or what is wrong. */
export function parseTarHeader(block: Buffer): TarHeader | 'end' | { readonly problem: string } {
  if (block.every((byte) => byte === 0)) return 'end';
  if (checksum(block) !== parseNumber(block.subarray(checksumField.start, checksumField.end))) {
    return { problem: 'a header of the tar does not match its checksum' };
  }
  const size = parseNumber(block.subarray(124, 136));
  if (size === undefined) return { problem: 'a header of the tar states no size' };
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? text(block.subarray(345, 500)) : '';
  const name = text(block.subarray(0, 100));
  const flag = block.toString('latin1', 156, 157);
  return { name: prefix === '' ? name : `${prefix}/${name}`, type: flag === '\0' ? '0' : flag, size };
}

/**
 * The records of a pax header, of which path and size count. Undefined when they do not follow the format, or say that
 * the file has holes: its bytes are then not what stands there.
 */
export function parsePaxRecords(body: Buffer): TarOverrides | undefined {
  let overrides: TarOverrides = {};
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(' ', at);
    const digits = space === -1 ? '' : body.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^[0-9]{1,7}$/.test(digits) || end <= space + 1 || end > body.length || body[end - 1] !== 0x0a) {
      return undefined;
    }
    const record = body.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals === -1) return undefined;
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key.startsWith('GNU.sparse.')) return undefined;
    if (key === 'path') overrides = { ...overrides, name: value };
    if (key === 'size') {
      if (!/^[0-9]{1,16}$/.test(value) || !Number.isSafeInteger(Number(value))) return undefined;
      overrides = { ...overrides, size: Number(value) };
    }
    at = end;
  }
  return overrides;
}

/** Text up to its first NUL. */
export function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

function checksum(block: Buffer): number {
  const { start, end } = checksumField;
  // Its own field counts as spaces.
  return block.reduce((sum, byte, index) => sum + (index >= start && index < end ? 0x20 : byte), 0);
}

/** Octal digits, or GNU's base 256; undefined for neither, and for what no file can have. */
function parseNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    const value = [first & 0x7f, ...field.subarray(1)].reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}
