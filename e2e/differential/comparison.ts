/** The same question put to a reference verifier and to Refwarden. */
export interface Comparison {
  /** Names the question: what, by whom, over what. */
  readonly question: string;
  readonly reference: Verdict;
  readonly ours: Verdict;
  /** What stands behind a refusal: our code, the other's error. */
  readonly detail?: string;
}

export type Verdict = 'accepted' | 'refused';

/** A difference that is meant: a question, or the beginning of several. */
export interface KnownDifference {
  readonly question: string;
  readonly why: string;
}

/** Differences that nobody explained, and explanations of what is no difference (any more); both should be empty. */
export function unexplained(
  comparisons: readonly Comparison[],
  known: readonly KnownDifference[],
): { readonly differences: readonly string[]; readonly stale: readonly string[] } {
  const explains = ({ question }: KnownDifference, asked: string): boolean =>
    asked === question || asked.startsWith(`${question} `);
  const differing = comparisons.filter(({ reference, ours }) => reference !== ours);
  return {
    differences: differing
      .filter(({ question }) => !known.some((each) => explains(each, question)))
      .map(describeComparison),
    stale: known
      .filter((each) => !differing.some(({ question }) => explains(each, question)))
      .map(({ question }) => question),
  };
}

function describeComparison({ question, reference, ours, detail = '' }: Comparison): string {
  return `${question}: reference ${reference}, ours ${ours} ${detail}`.trim();
}

/** All of it for the log of the run: one line a question, the reasons below. */
export function comparisonTable(
  title: string,
  comparisons: readonly Comparison[],
  known: readonly KnownDifference[],
): string {
  const width = Math.max(...comparisons.map(({ question }) => question.length));
  const lines = comparisons.map(({ question, reference, ours, detail = '' }) =>
    [reference === ours ? ' ' : '!', question.padEnd(width), reference, ours, detail].join('  ').trimEnd(),
  );
  const agreed = comparisons.filter(({ reference, ours }) => reference === ours).length;
  const accepted = comparisons.filter(({ ours }) => ours === 'accepted').length;
  return [
    `${title}: ${comparisons.length} verdicts, ${agreed} agree, ${accepted} accepted by Refwarden`,
    ...lines,
    ...known.map(({ question, why }) => `! ${question}: ${why}`),
    '',
  ].join('\n');
}
