import type { ImageVerdict, Verdict } from '../admission/verdict.ts';

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
        const { image, reference, digest, outcome: imageOutcome, checks, lookedAt } = judged;
        return {
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
              ...(exemption === undefined
                ? {}
                : { exception: exemption.exception.name, exceptedByDigest: exemption.byDigest }),
              evidence,
              misses,
            }),
          ),
          ...(explain ? { lookedAt, uncountedExceptions: uncounted(judged) } : {}),
        };
      }),
      requests,
    },
    null,
    2,
  )}\n`;
}
