import type { BaseLogger } from 'pino';
import type { ConfigMapLookup, SnapshotOptions } from '../admission/live-source.ts';
import type { PolicyOptions, RegistryOptions } from '../cli/commands.ts';
import { prepareCacheDirectory } from '../registry/cache-directory.ts';
import type { LoadedSettings } from '../registry/load-registry-settings.ts';
import { requireTrustDirectory } from '../trust/trust-file.ts';
import { createTrustSource } from '../trust/trust-source.ts';
import type { TufEvents } from '../trust/tuf-mirror.ts';
import { TufMirrors } from '../trust/tuf-mirrors.ts';
import { checkExpression } from '../verification/expression/check-expression.ts';
import { checkIssuerMaterial } from '../verification/issuer-material.ts';
import { hostRules } from './open-contents.ts';

/** How policies find trust material, and what has to be closed after it. */
interface Trust {
  readonly snapshotOptions: SnapshotOptions;
  readonly mirrors: TufMirrors;
  readonly close: () => Promise<void>;
}

export async function openTrust(
  { trustDir, noMatch, maxExceptionMs, cacheDir }: PolicyOptions & Pick<RegistryOptions, 'cacheDir'>,
  settings: LoadedSettings,
  events: TufEvents,
): Promise<Trust> {
  if (trustDir !== undefined) requireTrustDirectory(trustDir);
  const directory = cacheDir === undefined ? undefined : await prepareCacheDirectory(cacheDir, 'tuf-v1');
  const mirrors = new TufMirrors({
    hosts: hostRules(settings),
    events,
    ...(directory === undefined ? {} : { directory }),
  });
  return {
    mirrors,
    snapshotOptions: {
      noMatch,
      maxExceptionMs,
      checkExpression,
      trustFor: (configMaps: ConfigMapLookup) => {
        const trust = createTrustSource({
          configMaps,
          mirrors,
          ...(trustDir === undefined ? {} : { directory: trustDir }),
        });
        return { material: (reference) => trust.material(reference), check: checkIssuerMaterial };
      },
      onTrustChange: (changed) => mirrors.subscribe(changed),
    },
    close: () => mirrors.close(),
  };
}

export const tufEventsUnheard: TufEvents = {
  replaced: () => undefined,
  failed: () => undefined,
  diskFailed: () => undefined,
};

export const tufEventsLogged = (log: BaseLogger): TufEvents => ({
  replaced: (mirror) => {
    log.info({ mirror }, 'A trusted root was read from its TUF mirror');
  },
  failed: (mirror, { code, message }, keeps) => {
    const consequence = keeps
      ? 'what was last good stays in force'
      : 'issuers that name it cannot be used yet';
    log.warn({ mirror, code }, `The TUF mirror ${mirror} cannot be read, ${consequence}: ${message}`);
  },
  diskFailed: (mirror, cause) => {
    log.warn(
      { mirror, cause },
      'What the cache directory keeps of a TUF mirror cannot be used: going on without it',
    );
  },
});
