import { printable } from '../failures/printable.ts';

/** Longest text in a log line, in characters. */
const maxLogTextLength = 500;
/** Deepest nesting of a logged value; a chain of causes counts each cause. */
const maxDepth = 5;
/** Most fields of a logged object, or items of a logged list. */
const maxEntries = 50;
/** Most stack frames of an error that is not ours. */
const maxFrames = 8;

const redacted = '[redacted]';
/** Fields that never reach a log, whatever their case and wherever they stand. */
const secretName =
  /authorization|password|passwd|token|secret|cookie|credential|private_?key|^(?:auth|key)$/i;
/** What a message may quote of a request: credentials in a header, in an address, in its query. Each is linear. */
const secretsInText: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${redacted}`],
  [/:\/\/[^\s/@]{1,512}@/g, `://${redacted}@`],
  [/([?&][\w-]{0,40}(?:token|password|secret|signature|credential|code|key)=)[^\s&"']+/gi, `$1${redacted}`],
];

/** Text fit for a log: without control characters and secrets, cut to `maxLength` characters. */
export function loggableText(text: string, maxLength = maxLogTextLength): string {
  // Cut first, generously, so that no text however long costs more than its line.
  let clean = printable(text.slice(0, maxLength * 4).replaceAll('\n', ' '));
  for (const [secret, replacement] of secretsInText) clean = clean.replaceAll(secret, replacement);
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}...` : clean;
}

/** Plain, bounded data for a log line: errors with their causes, secrets by field name redacted at any depth. */
export function loggableFields(fields: object): Record<string, unknown> {
  return fieldsOf(fields, maxDepth);
}

function fieldsOf(fields: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, maxEntries);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, secretName.test(name) ? redacted : loggable(value, depth - 1)]),
  );
}

function loggable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return loggableText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth <= 0) return '[too deep]';
  if (value instanceof Error) return loggableError(value, depth);
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((item) => loggable(item, depth - 1));
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return fieldsOf(value, depth);
}

/** Name, code and message only: further fields of an error hold requests, headers and bodies. */
function loggableError(error: Error, depth: number): Record<string, unknown> {
  const code =
    'code' in error && typeof error.code === 'string' ? { code: loggableText(error.code, 100) } : {};
  const frames = error.name === 'RefwardenError' ? {} : { at: framesOf(error) };
  const cause = error.cause === undefined ? {} : { cause: loggable(error.cause, depth - 1) };
  return {
    name: loggableText(error.name, 100),
    ...code,
    message: loggableText(error.message),
    ...frames,
    ...cause,
  };
}

function framesOf(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n', 200).filter((line) => /^\s+at /.test(line));
  return lines.slice(0, maxFrames).map((line) => loggableText(line.trim(), 200));
}
