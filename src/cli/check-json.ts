import type { Check, ImageVerdict, Verdict } from '../admission/verdict.ts';

/** The machine-readable form of `refwarden check`; documented in docs/command-line.md. */
export function renderJson(
  verdict: Verdict,
  explain: boolean,
  uncounted: (image: ImageVerdict) => readonly string[],
): string {
  const { outcome, images, failure, requests } = verdict;
  return `${JSON.stringify(
    {
      verdict: outcome,
      ...(failure === undefined ? {} : { failure }),
      images: images.map((judged) => {
        const { image, reference, digest, checks, lookedAt } = judged;
        return {
          image,
          reference,
          digest,
          outcome: judged.outcome,
          checks: checks.map(shownCheck),
          ...(explain ? { lookedAt, uncountedExceptions: uncounted(judged) } : {}),
        };
      }),
      requests,
    },
    null,
    2,
  )}\n`;
}

/** As documented, and nothing beside: what a check holds further is of use here alone. */
function shownCheck(check: Check): object {
  const { policy, requirement, mode, outcome, code, message, exemption, evidence, misses } = check;
  const exception =
    exemption === undefined
      ? {}
      : { exception: exemption.exception.name, exceptedByDigest: exemption.byDigest };
  return { policy, requirement, mode, outcome, code, message, ...exception, evidence, misses };
}
