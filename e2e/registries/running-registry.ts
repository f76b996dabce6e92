/** A registry on 127.0.0.1 that speaks plain HTTP and lets everyone read, write and delete. */
export interface RunningRegistry {
  /** `127.0.0.1:PORT`, as it stands at the start of an image reference. */
  readonly host: string;
  readonly stop: () => Promise<void>;
  /** Ends the process and keeps its address and files. The result starts it again. */
  readonly interrupt: () => Promise<() => Promise<void>>;
}
