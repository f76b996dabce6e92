import type { FailureCode } from '../failures/catalogue.ts';

/** A refusal as the API server reads it and shows it to whoever waits (meta/v1 `Status`). */
export interface StatusBody {
  readonly apiVersion: 'v1';
  readonly kind: 'Status';
  readonly status: 'Failure';
  readonly reason: FailureCode;
  readonly message: string;
  /** HTTP status. */
  readonly code: number;
}

export const statusBody = (status: number, code: FailureCode, message: string): StatusBody => ({
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  reason: code,
  message: `${code}: ${message}`,
  code: status,
});
