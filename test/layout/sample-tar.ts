import type { Files } from './sample-layout.ts';

const block = 512;

export interface TarEntry {
  readonly name: string;
  readonly body?: Buffer | string;
  /** `0` for a file, `2` for a symbolic link, `x` for pax records. */
  readonly type?: string;
  readonly link?: string;
  /** Claimed instead of the length of the body: a number, or the field as it stands. */
  readonly size?: number | Buffer;
  readonly prefix?: string;
}

export const endOfTar = Buffer.alloc(2 * block);

/** One entry in the ustar format. */
export function tarEntry({ name, body = '', type = '0', link = '', size, prefix = '' }: TarEntry): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(block);
  header.write(name, 0, 100, 'utf8');
  header.write('0000644\0', 100);
  if (Buffer.isBuffer(size)) size.copy(header, 124);
  else header.write(`${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\0' + '00', 257);
  header.write(prefix, 345);
  header.write(' '.repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);
}

/** `LENGTH key=value`, where the length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const digits = String(rest.length + String(rest.length + 2).length);
  return `${String(rest.length + digits.length)}${rest}`;
}

export const tarOf = (files: Files, ...more: TarEntry[]): Buffer =>
  Buffer.concat([
    ...Object.entries(files).map(([name, body]) => tarEntry({ name, body })),
    ...more.map(tarEntry),
    endOfTar,
  ]);
