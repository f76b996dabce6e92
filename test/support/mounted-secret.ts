import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A directory laid out as the kubelet mounts a Secret: files are links through `..data`, which is swapped. */
export interface MountedSecret {
  readonly path: string;
  /** Swaps in other content under the same names. */
  readonly put: (files: Readonly<Record<string, string>>) => Promise<void>;
}

/** @param path of a directory that is made. */
export async function mountedSecret(
  path: string,
  files: Readonly<Record<string, string>>,
): Promise<MountedSecret> {
  let version = 0;
  const put: MountedSecret['put'] = async (next) => {
    const target = `..v${version++}`;
    await mkdir(join(path, target), { recursive: true });
    for (const [name, content] of Object.entries(next)) await writeFile(join(path, target, name), content);
    await symlink(target, join(path, '..data_tmp'));
    await rename(join(path, '..data_tmp'), join(path, '..data'));
  };
  await put(files);
  for (const name of Object.keys(files)) await symlink(`..data/${name}`, join(path, name));
  return { path, put };
}
