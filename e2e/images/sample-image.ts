/** An image that was pushed. */
export interface SampleImage {
  /** `host/repository:tag`, as a Pod names it. */
  readonly tagged: string;
  /** `host/repository@sha256:...`, as cosign names it. */
  readonly pinned: string;
  /** The first characters of its digest, as messages show it. */
  readonly shortDigest: string;
}

/** `sha256:...` of `host/repository@sha256:...`. */
export const digestOf = (pinned: string): string => pinned.slice(pinned.indexOf('@') + 1);

/** The images of each registry, named for what was done to them. */
export const sampleNames = [
  'unsigned',
  'unsigned-too',
  'signed-legacy',
  'signed-bundle',
  'signed-keyless',
  'signed-by-somebody',
  'signed-by-stranger',
  'signed-then-moved',
  'signed-notation-jws',
  'signed-notation-cose',
  'signed-notation-by-stranger',
  'attested',
  'built-by-release',
  'built-by-another',
] as const;
export type SampleName = (typeof sampleNames)[number];
export type SampleImages = Readonly<Record<SampleName, SampleImage>>;
