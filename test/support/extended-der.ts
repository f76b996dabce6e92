import { DerReader } from '../../src/verification/x509/der.ts';
import { encodeDer } from '../../src/verification/x509/encode-der.ts';
import { nothing } from './der-values.ts';

interface ExtendedDer {
  /** Where the NULL was added: the index of each element on the way, `''` for the outermost. */
  readonly path: string;
  readonly der: Uint8Array;
}

/** The same DER with a NULL at the end of one of its constructed elements, each of them in turn. */
function extendEverywhere(der: Uint8Array): readonly ExtendedDer[] {
  const { tag, content } = new DerReader(der).read();
  if ((tag & 0x20) === 0) return [];
  const children = [...new DerReader(content).rest()].map(({ whole }) => whole);
  const within = children.flatMap((child, index) =>
    extendEverywhere(child).map(({ path, der: extended }) => ({
      path: path === '' ? String(index) : `${index}.${path}`,
      der: encodeDer(tag, ...children.with(index, extended)),
    })),
  );
  return [{ path: '', der: encodeDer(tag, content, nothing) }, ...within];
}

/** Paths of the variants that are taken as if nothing had been added; any other refusal than for that is thrown on. */
export function takenThoughExtended(
  der: Uint8Array,
  read: (extended: Uint8Array) => unknown,
  refusal: string | RegExp = /more than belongs there/,
): string[] {
  return extendEverywhere(der).flatMap(({ path, der: extended }) => {
    try {
      read(extended);
      return [path];
    } catch (thrown) {
      if (thrown instanceof Error && thrown.message.match(refusal) !== null) return [];
      throw thrown;
    }
  });
}
