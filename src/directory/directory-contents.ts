import type { StaleOrigin } from '../admission/live-source.ts';
import { RefwardenError, toFailure } from '../failures/failure.ts';
import { isPolicy } from '../policy/model/resource.ts';
import type { Resource } from '../policy/model/resource.ts';
import { ResourceSet } from '../policy/resource-set.ts';
import { parseDocuments } from './parse-documents.ts';
import { definedTwice, parseObjects } from './parse-objects.ts';
import type { FileObjects } from './parse-objects.ts';
import type { FileBytes } from './read-files.ts';

/** A file's text and what it says. */
interface Version {
  readonly bytes: Buffer;
  readonly objects: FileObjects;
}

/** The newest version of each file, or why it does not count. */
type Versions = Map<string, Version | RefwardenError>;

/**
 * What the files of a directory say, file by file: a version that cannot be used leaves the file's last good one in
 * force, and what is in force never defines an object twice.
 */
export class DirectoryContents {
  readonly #resources = new ResourceSet();
  readonly #inForce = new Map<string, Version>();

  /**
   * Takes over what the files say now; a file that is gone takes its objects along.
   * @returns whether anything in force changed.
   * @throws RefwardenError when no policy would be left: that is a fault, and all stays as it was.
   */
  apply(files: ReadonlyMap<string, FileBytes>): boolean {
    const versions: Versions = new Map();
    for (const [file, bytes] of files) versions.set(file, this.#read(file, bytes));
    this.#refuseConflicts(versions);
    this.#requirePolicy(versions);
    const gone = this.#resources.origins().filter((file) => !files.has(file));
    for (const file of gone) {
      this.#resources.remove(file);
      this.#inForce.delete(file);
    }
    let changed = gone.length > 0;
    for (const [file, version] of versions) {
      this.#resources.apply(file, () => {
        if (version instanceof RefwardenError) throw version;
        changed ||= version !== this.#inForce.get(file);
        this.#inForce.set(file, version);
        return version.objects.resources;
      });
    }
    return changed;
  }

  resources(): readonly Resource[] {
    return this.#resources.resources();
  }

  /** Files whose newest version does not count. */
  stale(): readonly StaleOrigin[] {
    return [...this.#resources.unusable(), ...this.#resources.stale()];
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined {
    return this.#find(({ namespaces }) => namespaces.get(name));
  }

  configMap(name: string): Readonly<Record<string, string>> | undefined {
    return this.#find(({ configMaps }) => configMaps.get(name));
  }

  #find<T>(look: (objects: FileObjects) => T | undefined): T | undefined {
    for (const { objects } of this.#inForce.values()) {
      const found = look(objects);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A file that still is as it came into force is not parsed again. */
  #read(file: string, bytes: FileBytes): Version | RefwardenError {
    if (!Buffer.isBuffer(bytes)) return bytes;
    const current = this.#inForce.get(file);
    if (current?.bytes.equals(bytes) === true) return current;
    try {
      return { bytes, objects: parseObjects(file, parseDocuments(file, bytes)) };
    } catch (error) {
      const { code, message } = toFailure(error);
      return new RefwardenError(code, message, error);
    }
  }

  /** What would be in force of a file. */
  #usable(file: string, version: Version | RefwardenError): Version | undefined {
    return version instanceof RefwardenError ? this.#inForce.get(file) : version;
  }

  /**
   * Refuses new versions until no object is defined twice. A refused version gives way to the one in force before,
   * which was free of conflicts with the others in force: so this ends.
   */
  #refuseConflicts(versions: Versions): void {
    let conflict = this.#findConflict(versions);
    while (conflict !== undefined) {
      versions.set(conflict.file, conflict.refusal);
      conflict = this.#findConflict(versions);
    }
  }

  #findConflict(versions: Versions): { file: string; refusal: RefwardenError } | undefined {
    const claims = new Map<string, { file: string; where: string }>();
    for (const [file, version] of versions) {
      const usable = this.#usable(file, version);
      for (const [key, where] of usable?.objects.origins ?? []) {
        const other = claims.get(key);
        if (other !== undefined) {
          // Of two files, one that brought the conflict gives way.
          const loser = usable === this.#inForce.get(file) ? other.file : file;
          return { file: loser, refusal: definedTwice(key, other.where, where) };
        }
        claims.set(key, { file, where });
      }
    }
    return undefined;
  }

  #requirePolicy(versions: Versions): void {
    const hasPolicy = [...versions].some(([file, version]) =>
      this.#usable(file, version)?.objects.resources.some(isPolicy),
    );
    if (hasPolicy) return;
    const refusal = [...versions.values()].find((version) => version instanceof RefwardenError);
    throw (
      refusal ??
      new RefwardenError(
        'ConfigurationInvalid',
        `No policy is among the objects of ${[...versions.keys()].slice(0, 5).join(', ')}: add a ClusterArtifactPolicy or an ArtifactPolicy.`,
      )
    );
  }
}
