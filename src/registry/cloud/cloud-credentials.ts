import { anonymousScope } from '../../admission/ports.ts';
import type { Account, Credentials } from '../../admission/ports.ts';
import { acr } from './acr.ts';
import type { CloudMeans, CloudName, CloudProvider, TimedAccount } from './cloud-provider.ts';
import { ecr } from './ecr.ts';
import { google } from './google.ts';

/** An account is asked for anew so much before its end, milliseconds. */
const earlyMs = 5 * 60_000;
/** One whose end is near or unknown serves for so long all the same: a decision makes several requests, milliseconds. */
const minKeptMs = 10_000;

export const cloudProviders: Readonly<Record<CloudName, CloudProvider>> = {
  ECR: ecr,
  Google: google,
  ACR: acr,
};

interface Kept {
  readonly account: Promise<TimedAccount>;
  untilMs: number;
}

/** Credentials of registries of a cloud by the identity that the process has there, for hosts that the operator named alone. */
export class CloudCredentials implements Credentials {
  readonly #clouds: ReadonlyMap<string, CloudName>;
  readonly #means: CloudMeans;
  readonly #kept = new Map<string, Kept>();

  /** @param clouds by host of a registry, exact. */
  constructor(clouds: ReadonlyMap<string, CloudName>, means: CloudMeans) {
    this.#clouds = clouds;
    this.#means = means;
  }

  /** One of the whole installation: what it read for one workload it may read for all. */
  scope(registry: string): string {
    const cloud = this.#clouds.get(registry);
    return cloud === undefined ? anonymousScope : `cloud:${cloudProviders[cloud].keyOf(registry)}`;
  }

  /** @throws RefwardenError `RegistryUnauthorized` */
  async account(registry: string): Promise<Account | undefined> {
    const cloud = this.#clouds.get(registry);
    if (cloud === undefined) return undefined;
    const provider = cloudProviders[cloud];
    const key = provider.keyOf(registry);
    const known = this.#kept.get(key);
    const { clock } = this.#means;
    if (known !== undefined && clock.nowMs() < known.untilMs) return (await known.account).account;
    const asked: Kept = { account: provider.account(registry, this.#means), untilMs: Infinity };
    this.#kept.set(key, asked);
    try {
      const { account, endsAtMs } = await asked.account;
      asked.untilMs = Math.max(endsAtMs - earlyMs, clock.nowMs() + minKeptMs);
      return account;
    } catch (error) {
      // A failure is not kept: what is mended counts at once.
      if (this.#kept.get(key) === asked) this.#kept.delete(key);
      throw error;
    }
  }

  /** For whoever is refused although the cloud gave an account. */
  explain(registry: string): string | undefined {
    const cloud = this.#clouds.get(registry);
    return cloud === undefined
      ? undefined
      : `The account is that of Refwarden's own identity (${cloud}): allow it to read this repository.`;
  }

  async close(): Promise<void> {
    await this.#means.http.close();
  }
}
