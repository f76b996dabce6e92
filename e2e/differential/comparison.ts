/** The same question put to a reference verifier and to Refwarden. */
export interface Comparison {
  /** The fixture, and of which manifest of it. */
  readonly about: string;
  readonly asked?: string;
  readonly by?: string;
  readonly reference: Verdict;
  readonly ours: Verdict;
  /** What stands behind a refusal: our code, the other's error. */
  readonly detail?: string;
}

export type Verdict = 'accepted' | 'refused';

/** A difference that is meant, for what is asked about a fixture, whoever is asked for. */
export interface KnownDifference {
  readonly about: string;
  readonly asked?: string;
  readonly why: string;
}

/** Differences that nobody explained, and explanations of what is no difference (any more); both should be empty. */
export function unexplained(
  comparisons: readonly Comparison[],
  known: readonly KnownDifference[],
): { readonly differences: readonly string[]; readonly stale: readonly string[] } {
  const explains = (difference: KnownDifference, { about, asked }: Comparison): boolean =>
    difference.about === about && difference.asked === asked;
  const differing = comparisons.filter(({ reference, ours }) => reference !== ours);
  return {
    differences: differing
      .filter((comparison) => !known.some((each) => explains(each, comparison)))
      .map((comparison) => lineOf(comparison, 0)),
    stale: known
      .filter((each) => !differing.some((comparison) => explains(each, comparison)))
      .map(({ about, asked = '' }) => `${about} ${asked}`.trim()),
  };
}

/** All of it for the log of the run: one line a question, the reasons below. */
export function comparisonTable(
  title: string,
  comparisons: readonly Comparison[],
  known: readonly KnownDifference[],
): string {
  const width = Math.max(0, ...comparisons.map((comparison) => questionOf(comparison).length));
  const agreed = comparisons.filter(({ reference, ours }) => reference === ours).length;
  const accepted = comparisons.filter(({ ours }) => ours === 'accepted').length;
  return [
    `${title}: ${comparisons.length} verdicts, ${agreed} agree, ${accepted} accepted by Refwarden`,
    `  ${'question'.padEnd(width)}  ${title.padEnd(11)}  Refwarden`,
    ...comparisons.map((comparison) => lineOf(comparison, width)),
    ...known.map(({ about, asked = '', why }) => `! ${`${about} ${asked}`.trim()}: ${why}`),
    '',
  ].join('\n');
}

function lineOf(comparison: Comparison, width: number): string {
  const { reference, ours, detail = '' } = comparison;
  const mark = reference === ours ? ' ' : '!';
  return `${mark} ${questionOf(comparison).padEnd(width)}  ${reference.padEnd(11)}  ${ours}  ${detail}`.trimEnd();
}

const questionOf = ({ about, asked, by }: Comparison): string =>
  [about, asked, by].filter((part) => part !== undefined).join(' ');
