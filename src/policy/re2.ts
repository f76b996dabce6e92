import { RE2JS } from 're2js';

/** Longest regular expression, in characters. */
export const maxPatternLength = 1024;

/** Largest compiled pattern of an identity, in RE2 instructions. */
export const maxIdentityInstructions = 10_000;

/** A regular expression that is not taken. */
export class PatternRefused extends Error {
  override readonly name = 'PatternRefused';
  /** The end of a sentence that begins with the pattern. */
  readonly why: string;

  constructor(why: string, options?: ErrorOptions) {
    super(`The pattern ${why}.`, options);
    this.why = why;
  }
}

/**
 * Compiles a regular expression of RE2.
 * @param maxInstructions of the compiled program: counted repeats multiply, and time to compile and to match follows.
 * @throws PatternRefused
 */
export function compileRe2(pattern: string, maxInstructions: number): RE2JS {
  if (pattern.length > maxPatternLength) {
    throw new PatternRefused(`is longer than ${maxPatternLength} characters`);
  }
  // Before it is compiled, which takes the time that is to be bounded.
  if (estimateInstructions(pattern) > maxInstructions) throw new PatternRefused('repeats too much');
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace('error parsing regexp: ', '') : 'unknown';
    throw new PatternRefused(`is not RE2: ${why}`, { cause });
  }
  if (compiled.programSize() > maxInstructions) throw new PatternRefused('repeats too much');
  return compiled;
}

/** What was read of a group: instructions in all, and of its last part, which a repeat multiplies. */
interface Group {
  total: number;
  last: number;
}

// One token: quoted text, an escape, a class, flags, the beginning and end of a group, a counted repeat, an operator, a character.
const token =
  /\\Q(?<quoted>[^]*?)(?:\\E|$)|\\[pPx]\{[^}]*\}|\\[^]|\[\^?\]?(?:\\[^]|\[:[^\]]*:\]|[^\]\\])*\]|\(\?[A-Za-z-]*\)|(?<open>\((?:\?(?:P?<[^>]*>|[A-Za-z-]*:))?)|(?<close>\))|\{(?<least>\d+)(?:,(?<most>\d*))?\}|(?<operator>[*+?|])|[^]/gu;

/** Never more than a few instructions above what the text would compile to; text that is no RE2 gives any number. */
function estimateInstructions(pattern: string): number {
  const groups: Group[] = [{ total: 0, last: 0 }];
  for (const { groups: found = {} } of pattern.matchAll(token)) {
    const group = groups.at(-1);
    if (group === undefined) break;
    const { quoted, open, close, least, most, operator } = found;
    if (open !== undefined) groups.push({ total: 0, last: 0 });
    else if (close !== undefined) {
      const around = groups.at(-2);
      if (around === undefined) continue;
      groups.pop();
      around.last = group.total;
      around.total += group.total;
    } else if (least !== undefined) {
      const times = Math.max(Number(least), Number(most ?? 0));
      group.total += group.last * (times - 1);
      group.last *= times;
    } else if (operator !== undefined) {
      group.total += 1;
      group.last = operator === '|' ? 0 : group.last + 1;
    } else {
      group.total += quoted?.length ?? 1;
      group.last = 1;
    }
  }
  return groups.reduce((sum, { total }) => sum + total, 0);
}
