import type { TrustSource } from '../admission/ports.ts';
import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { builtInTrustedRoot } from './built-in-roots.ts';
import { readTrustFile } from './trust-file.ts';
import type { TufMirrors } from './tuf-mirrors.ts';

interface TrustSourceOptions {
  /** Directory of trust files; absent = no file can be named. */
  readonly directory?: string;
  /** Data of a ConfigMap of the release namespace; absent = none can be named. */
  readonly configMaps?: (name: string) => Readonly<Record<string, string>> | undefined;
  /** Reads TUF repositories; absent = none can be named. */
  readonly mirrors?: Pick<TufMirrors, 'material'>;
}

/** Trust material by reference. What it says is not parsed here. */
export function createTrustSource({ directory, configMaps, mirrors }: TrustSourceOptions): TrustSource {
  return {
    material(reference) {
      switch (reference.kind) {
        case 'builtIn':
          return builtInTrustedRoot(reference.name);
        case 'file':
          return directory === undefined
            ? failure(
                'TrustMaterialMissing',
                `Trust file ${JSON.stringify(reference.name)} is named, and no trust directory is set.`,
              )
            : readTrustFile(directory, reference.name);
        case 'configMap':
          return configMapKey(configMaps, reference.name, reference.key);
        case 'tuf':
          return mirrors === undefined
            ? failure('TrustMaterialMissing', 'A TUF mirror is named, and none is read here.')
            : mirrors.material(reference);
      }
    },
  };
}

function configMapKey(
  configMaps: TrustSourceOptions['configMaps'],
  name: string,
  key: string,
): string | Failure {
  const where = `ConfigMap ${JSON.stringify(name)} of the release namespace`;
  if (configMaps === undefined) {
    return failure('TrustMaterialMissing', `${where} is named, and ConfigMaps are not read here.`);
  }
  const data = configMaps(name);
  if (data === undefined) return failure('TrustMaterialMissing', `${where} does not exist.`);
  const text = Object.hasOwn(data, key) ? data[key] : undefined;
  if (text === undefined)
    return failure('TrustMaterialMissing', `${where} has no key ${JSON.stringify(key)}.`);
  return text;
}
