import { isJsonObject } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';

/** A longer event cannot be one: the API server takes objects up to 3 MiB. */
const maxEventBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/** One event of a watch; `undefined` stands for one that cannot be read, so that something was missed. */
export type WatchEvent = { readonly type: string; readonly object: JsonObject } | undefined;

/** Reads the lines of a watch (Kubernetes API concepts, "Efficient detection of changes"). A cut-off last line is none. */
export async function* readWatchEvents(chunks: AsyncIterable<Buffer>): AsyncIterable<WatchEvent> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      yield parseEvent(Buffer.concat([...pending, chunk.subarray(start, end)]).toString());
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > maxEventBytes) {
      yield undefined;
      return;
    }
  }
}

function parseEvent(line: string): WatchEvent {
  const event = parseJsonObject(line);
  const type = event?.['type'];
  const object = event?.['object'];
  return typeof type === 'string' && isJsonObject(object) ? { type, object } : undefined;
}

export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const json = JSON.parse(text) as Json;
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
