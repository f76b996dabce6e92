import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { invalid, overBound } from './layout-fault.ts';
import type { LayoutLimits } from './limits.ts';
import { readAt } from './read-at.ts';
import { blockBytes, parsePaxRecords, parseTarHeader, text } from './tar-header.ts';
import type { TarHeader, TarOverrides } from './tar-header.ts';

/** Where the bytes of a file stand within the tar. */
export interface TarFile {
  readonly position: number;
  readonly size: number;
}

/** Types that have no body, whatever size they state: links, devices, directories, pipes. */
const bodiless = new Set(['1', '2', '3', '4', '5', '6']);
const directoryType = '5';
const fileTypes = new Set(['0', '7']);
/** What a layout consists of, and the directories on the way there. */
const layoutName = /^(?:oci-layout|index\.json|blobs(?:\/.*)?)$/s;
/** Extended headers of one entry: a name, a link and pax records at most. */
const maxExtendedHeaders = 3;

/**
 * The regular files of a tar that may belong to a layout, by their paths, without reading their bodies. Nothing is
 * unpacked, and other files are passed over.
 * @throws RefwardenError `LayoutInvalid` when it is cut short, names a file of the layout twice, or has a path that leads
 * out of it; `LayoutTooLarge`.
 */
export async function readTarEntries(
  file: FileHandle,
  path: string,
  limits: LayoutLimits,
): Promise<ReadonlyMap<string, TarFile>> {
  const found = new Map<string, TarFile>();
  const { size: tarBytes } = await file.stat();
  let overrides: TarOverrides = {};
  let extended = 0;
  let empty = 0;
  let position = 0;
  for (let count = 0; empty < 2;) {
    const block = await readAt(file, position, blockBytes);
    if (block.length < blockBytes) throw invalid(path, 'the tar is cut short');
    position += blockBytes;
    const stated = parseTarHeader(block);
    if (stated === 'end') {
      empty++;
      continue;
    }
    if ('problem' in stated) throw invalid(path, stated.problem);
    if (empty > 0) throw invalid(path, 'the tar has an empty block between its entries');
    if (++count > limits.maxTarEntries) throw overBound(path, 'entries', limits.maxTarEntries);
    const header: TarHeader = isExtension(stated) ? stated : { ...stated, ...overrides };
    const size = bodiless.has(header.type) ? 0 : header.size;
    if (position + size > tarBytes) throw invalid(path, 'the tar is cut short');
    if (isExtension(header)) {
      if (++extended > maxExtendedHeaders) throw invalid(path, 'an entry of the tar has too many headers');
      if (size > limits.maxTarHeaderBytes)
        throw overBound(path, 'bytes in a header of its tar', limits.maxTarHeaderBytes);
      overrides = { ...overrides, ...readExtension(header.type, await readAt(file, position, size), path) };
    } else {
      const name = nameWithin(header.name, path);
      if (layoutName.test(name) && header.type !== directoryType) {
        if (!fileTypes.has(header.type)) throw invalid(path, `${JSON.stringify(name)} is a link or no file`);
        if (found.has(name)) throw invalid(path, `the tar has ${JSON.stringify(name)} twice`);
        found.set(name, { position, size });
      }
      overrides = {};
      extended = 0;
    }
    position += Math.ceil(size / blockBytes) * blockBytes;
  }
  if (extended > 0) throw invalid(path, 'the tar ends after half an entry');
  return found;
}

/** pax records of one entry or of all, and GNU's long names. */
const isExtension = ({ type }: TarHeader): boolean => ['x', 'g', 'L', 'K'].includes(type);

function readExtension(type: string, body: Buffer, path: string): TarOverrides {
  if (type === 'L') return { name: text(body) };
  if (type === 'K') return {};
  const records = parsePaxRecords(body);
  if (records === undefined) throw invalid(path, 'an extended header of the tar cannot be read');
  if (type === 'x') return records;
  // Names or sizes for all entries: no tool writes that, and readers differ on it.
  if (Object.keys(records).length > 0) throw invalid(path, 'the tar renames all of its entries');
  return {};
}

/** One spelling for each path. Another reader would unpack `..` over something else. */
function nameWithin(name: string, path: string): string {
  if (name.startsWith('/') || name.split('/').includes('..')) {
    throw invalid(path, `the tar has the path ${JSON.stringify(name.slice(0, 200))}`);
  }
  return posix.normalize(name).replace(/\/$/, '');
}
