import { randomUUID } from 'node:crypto';
import { RefwardenError } from '../../failures/failure.ts';

/** Largest blob, in bytes. */
export const maxBlobBytes = 64 * 1024 * 1024;
/** Uploads open at once; the oldest gives way, as clients may leave theirs behind. */
const maxOpenUploads = 64;
/** Bytes of all open uploads together. */
const maxPendingBytes = 256 * 1024 * 1024;

interface UploadSession {
  readonly repository: string;
  readonly chunks: Uint8Array[];
  size: number;
}

/** Blobs on their way in, chunk by chunk. */
export class UploadSessions {
  readonly #sessions = new Map<string, UploadSession>();
  #pendingBytes = 0;

  open(repository: string): string {
    const oldest = this.#sessions.keys().next().value;
    if (this.#sessions.size >= maxOpenUploads && oldest !== undefined) this.close(oldest);
    const id = randomUUID();
    this.#sessions.set(id, { repository, chunks: [], size: 0 });
    return id;
  }

  /** Bytes received so far; undefined when the repository has no such upload. */
  size(repository: string, id: string): number | undefined {
    const session = this.#sessions.get(id);
    return session?.repository === repository ? session.size : undefined;
  }

  /** @throws RefwardenError `ArtifactTooLarge`. */
  append(id: string, chunk: Uint8Array): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    if (
      session.size + chunk.byteLength > maxBlobBytes ||
      this.#pendingBytes + chunk.byteLength > maxPendingBytes
    ) {
      throw new RefwardenError(
        'ArtifactTooLarge',
        `The upload is larger than a blob may be (${maxBlobBytes} bytes).`,
      );
    }
    session.chunks.push(chunk);
    session.size += chunk.byteLength;
    this.#pendingBytes += chunk.byteLength;
  }

  /** Ends an upload and returns what it received. */
  close(id: string): Uint8Array {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    this.#pendingBytes -= session?.size ?? 0;
    return Buffer.concat(session?.chunks ?? []);
  }
}
