import { compileRe2 } from '../../policy/re2.ts';

/** Largest compiled pattern, in RE2 instructions: matching time follows. */
const maxPatternInstructions = 2000;

/** A compiled pattern of RE2: it is found anywhere in a text unless it says otherwise. */
export interface TextPattern {
  /** RE2 instructions: matching takes at most so many steps a character. */
  readonly size: number;
  isFoundIn(text: string): boolean;
}

/** @throws PatternRefused for what is no pattern of RE2, or too large a one. */
export function compileTextPattern(pattern: string): TextPattern {
  const compiled = compileRe2(pattern, maxPatternInstructions);
  return { size: compiled.programSize(), isFoundIn: (text) => compiled.matcher(text).find() };
}
