import { RefwardenError } from '../failures/failure.ts';
import type { LayoutFile } from './layout-files.ts';
import { layoutPath } from './layout-files.ts';

/** Not a layout, or one with two readings. */
export const invalid = (path: string, why: string, cause?: unknown): RefwardenError =>
  new RefwardenError('LayoutInvalid', `${path} is no OCI image layout: ${why}.`, cause);

export const overBound = (path: string, what: string, limit: number): RefwardenError =>
  new RefwardenError('LayoutTooLarge', `${path} has more than ${limit} ${what}.`);

export const fileTooLarge = (path: string, file: LayoutFile, maxBytes: number): RefwardenError =>
  new RefwardenError('ArtifactTooLarge', `${path}: ${layoutPath(file)} is larger than ${maxBytes} bytes.`);

/** @param cause of the operating system; its code is shown. */
export function unreadable(path: string, file: string, cause: unknown): RefwardenError {
  if (cause instanceof RefwardenError) return cause;
  const why = typeof cause === 'string' ? cause : (systemCode(cause) ?? 'reading fails');
  return new RefwardenError('LayoutUnreadable', `${path}: ${file} cannot be read: ${why}.`, cause);
}

export function systemCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
