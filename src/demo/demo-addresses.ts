/**
 * Fixed, because the sample policies select images by host, and cosign signs the name with the image:
 * `shop` offers the referrers API, `archive` only the founding proposal's references API.
 */
export const demoAddress = '127.0.0.1';
export const shopPort = 5601;
export const archivePort = 5602;
export const shopHost = `${demoAddress}:${shopPort}`;
export const archiveHost = `${demoAddress}:${archivePort}`;
