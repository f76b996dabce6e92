import { serveBlob } from './blobs.ts';
import { deleteManifest, putManifest, serveManifest } from './manifests.ts';
import { listOrasDraft, listOrasReferrers } from './oras-referrers.ts';
import { listReferences } from './references.ts';
import { listReferrers } from './referrers.ts';
import type { Route } from './route-context.ts';
import { listTags } from './tags.ts';
import { continueUpload, startUpload } from './uploads.ts';

export interface FoundRoute {
  readonly repository: string;
  readonly reference: string;
  /** Undefined when the resource does not take the method. */
  readonly route: Route | undefined;
}

interface Resource {
  /** Groups: repository, reference. Repository names may hold slashes, so the last match of the keyword counts. */
  readonly path: RegExp;
  readonly routes: Readonly<Partial<Record<string, Route>>>;
}

const resources: readonly Resource[] = [
  {
    path: /^\/v2\/(.+)\/manifests\/([^/]+)\/references$/,
    routes: { GET: listReferences, HEAD: listReferences },
  },
  {
    path: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
    routes: { GET: serveManifest, HEAD: serveManifest, PUT: putManifest, DELETE: deleteManifest },
  },
  { path: /^\/v2\/(.+)\/blobs\/uploads\/?()$/, routes: { POST: startUpload } },
  {
    path: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
    routes: { GET: continueUpload, PATCH: continueUpload, PUT: continueUpload, DELETE: continueUpload },
  },
  { path: /^\/v2\/(.+)\/blobs\/([^/]+)$/, routes: { GET: serveBlob, HEAD: serveBlob, DELETE: serveBlob } },
  { path: /^\/v2\/(.+)\/tags\/list()$/, routes: { GET: listTags, HEAD: listTags } },
  { path: /^\/v2\/(.+)\/referrers\/([^/]+)$/, routes: { GET: listReferrers, HEAD: listReferrers } },
  {
    path: /^\/oras\/artifacts\/v1\/(.+)\/manifests\/([^/]+)\/referrers$/,
    routes: { GET: listOrasDraft, HEAD: listOrasDraft },
  },
  {
    path: /^\/v2\/(.+)\/_oras\/artifacts\/referrers()$/,
    routes: { GET: listOrasReferrers, HEAD: listOrasReferrers },
  },
];

/** The resource of a path (distribution-spec, "Endpoints"); undefined when there is none. */
export function findRoute(method: string, path: string): FoundRoute | undefined {
  for (const resource of resources) {
    const match = resource.path.exec(path);
    if (match === null) continue;
    return {
      repository: match[1] ?? '',
      reference: decodePathPart(match[2] ?? ''),
      route: resource.routes[method],
    };
  }
  return undefined;
}

/** Some clients write the colon of a digest as %3A. */
function decodePathPart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
