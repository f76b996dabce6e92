/** A parser under test, with the real inputs that mutants are made of. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /**
   * Reads one input: what came of it, as text that a second run must repeat.
   * @param choice picks among what accompanies the bytes.
   * @throws Error when something other than a refusal came of it.
   */
  run(bytes: Uint8Array, choice: number): string;
}
