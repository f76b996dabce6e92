import type { Verdict } from '../admission/verdict.ts';

/** The machine-readable form of `refwarden check`; documented in docs/command-line.md. */
export function renderJson(verdict: Verdict, explain: boolean): string {
  const { outcome, images, failure, requests } = verdict;
  return `${JSON.stringify(
    {
      verdict: outcome,
      ...(failure === undefined ? {} : { failure }),
      images: images.map(({ image, reference, digest, outcome: imageOutcome, checks, lookedAt }) => ({
        image,
        reference,
        digest,
        outcome: imageOutcome,
        checks: checks.map(
          ({
            policy,
            requirement,
            mode,
            outcome: checkOutcome,
            code,
            message,
            exemption,
            evidence,
            misses,
          }) => ({
            policy,
            requirement,
            mode,
            outcome: checkOutcome,
            code,
            message,
            ...(exemption === undefined ? {} : { exception: exemption.exception.name }),
            evidence,
            misses,
          }),
        ),
        ...(explain ? { lookedAt } : {}),
      })),
      requests,
    },
    null,
    2,
  )}\n`;
}
