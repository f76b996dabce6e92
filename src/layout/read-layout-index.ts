import { RefwardenError } from '../failures/failure.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { parseDocument } from '../oci/manifest.ts';
import { isJsonObject, parseStrictJson } from '../oci/strict-json.ts';
import { invalid } from './layout-fault.ts';
import type { LayoutFiles } from './layout-files.ts';
import type { LayoutLimits } from './limits.ts';

const layoutVersion = '1.0.0';
/** Of `oci-layout`, which holds a version. */
const maxMarkerBytes = 4096;

/**
 * What `index.json` lists, after the marker of a layout was seen (image-spec image-layout.md).
 * @throws RefwardenError `LayoutInvalid`, `ArtifactTooLarge`, `LayoutUnreadable`.
 */
export async function readLayoutIndex(
  files: LayoutFiles,
  limits: LayoutLimits,
): Promise<readonly Descriptor[]> {
  const { path } = files;
  const marker = await files.read('oci-layout', maxMarkerBytes);
  if (marker === undefined) throw invalid(path, 'it has no file oci-layout');
  const version = readVersion(marker, path);
  if (version !== layoutVersion)
    throw invalid(path, `its oci-layout states no imageLayoutVersion ${layoutVersion}`);
  const bytes = await files.read('index.json', limits.maxIndexBytes);
  if (bytes === undefined) throw invalid(path, 'it has no index.json');
  try {
    const document = parseDocument(bytes, undefined, 'index.json');
    if (document.kind === 'index') return document.manifests;
  } catch (cause) {
    if (!(cause instanceof RefwardenError)) throw cause;
    throw invalid(path, cause.message.replace(/\.$/, ''), cause);
  }
  throw invalid(path, 'its index.json is a manifest, not an index');
}

function readVersion(marker: Uint8Array, path: string): unknown {
  try {
    const json = parseStrictJson(marker, 'oci-layout', 'LayoutInvalid');
    return isJsonObject(json) ? json['imageLayoutVersion'] : undefined;
  } catch (cause) {
    throw invalid(path, 'its oci-layout is not JSON', cause);
  }
}
