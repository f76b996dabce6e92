import { RE2JS } from 're2js';

/** Longest pattern of `matches`, in characters. */
const maxPatternLength = 1024;
/** Largest compiled pattern, in RE2 instructions: counted repeats multiply, and matching time follows. */
const maxPatternInstructions = 2000;

/** A compiled pattern of RE2: it is found anywhere in a text unless it says otherwise. */
export interface TextPattern {
  /** RE2 instructions: matching takes at most so many steps a character. */
  readonly size: number;
  isFoundIn(text: string): boolean;
}

/** @throws Error for what is no pattern of RE2, or too large a one; the message is for people. */
export function compileTextPattern(pattern: string): TextPattern {
  if (pattern.length > maxPatternLength) {
    throw new Error(`The pattern is longer than ${maxPatternLength} characters.`);
  }
  const compiled = RE2JS.compile(pattern);
  const size = compiled.programSize();
  if (size > maxPatternInstructions) throw new Error('The pattern repeats too much.');
  return { size, isFoundIn: (text) => compiled.matcher(text).find() };
}
