/** Bytes of descriptors in one page; clients read 4 MiB of an index. */
const maxPageBytes = 3 * 1024 * 1024;

/** The first descriptors that fit into one page. At least one, so that paging always moves on. */
export function pageOf(descriptors: readonly object[]): object[] {
  const page: object[] = [];
  let pageBytes = 0;
  for (const descriptor of descriptors) {
    pageBytes += Buffer.byteLength(JSON.stringify(descriptor));
    if (page.length > 0 && pageBytes > maxPageBytes) break;
    page.push(descriptor);
  }
  return page;
}

/** The `data` of a listed descriptor (image-spec descriptor.md): the manifest itself, where it is small enough. */
export function listedData(bytes: Uint8Array, inlineDataBytes: number): { readonly data?: string } {
  return bytes.byteLength > inlineDataBytes ? {} : { data: Buffer.from(bytes).toString('base64') };
}
