import type { Account, Clock } from '../../admission/ports.ts';
import type { CloudHttp } from './cloud-http.ts';

/** Clouds whose registries take the identity of the workload. */
export const cloudNames = ['ECR', 'Google', 'ACR'] as const;
export type CloudName = (typeof cloudNames)[number];

/** An account that ends. */
export interface TimedAccount {
  readonly account: Account;
  /** Milliseconds since the epoch. */
  readonly endsAtMs: number;
}

/** What asking a cloud takes. */
export interface CloudMeans {
  readonly http: CloudHttp;
  readonly clock: Clock;
  /** Of the process: the names are those of the SDKs of the clouds. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where a registry is reached; absent = by https under its name. */
  readonly registryUrl?: (host: string) => string;
}

export interface CloudProvider {
  /** Why the host is none of its registries, or undefined. */
  refuses(host: string): string | undefined;
  /** Equal for hosts that share an account. */
  keyOf(host: string): string;
  /** @throws RefwardenError `RegistryUnauthorized`, and what to look at. */
  account(host: string, means: CloudMeans): Promise<TimedAccount>;
}
