import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';

/** Debian packages and one program of each; none can be had from the Go module proxy. */
const programs = {
  runc: '/usr/sbin/runc',
  iptables: '/usr/sbin/iptables',
  conntrack: '/usr/sbin/conntrack',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  iproute2: '/sbin/ip',
} as const;

const isInside = 'REFWARDEN_E2E_INSIDE_NODE';

const unshare = [
  '--net',
  '--mount',
  '--propagation',
  'private',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

/** Of cgroup v2 and v1: the kubelet makes groups beside them. */
const cgroupFiles = ['/sys/fs/cgroup/cgroup.subtree_control', '/sys/fs/cgroup/memory/tasks'];

/** Whether this process is in namespaces of its own already. */
export const isInsideNode = (): boolean => process.env[isInside] === '1';

/** What a node lacks on this machine, a sentence each. */
export function lacksForNode(): readonly string[] {
  if (process.platform !== 'linux') return ['A node runs on Linux only.'];
  if (process.getuid?.() !== 0) return ['A node needs root, for namespaces, mounts and cgroups.'];
  const packages = Object.entries(programs).flatMap(([name, path]) => (existsSync(path) ? [] : [name]));
  return [
    ...(cgroupFiles.some(isWritable)
      ? []
      : ['A node needs cgroups that it may write to, in /sys/fs/cgroup.']),
    ...(isInsideNode() || spawnSync('unshare', [...unshare, 'true']).status === 0
      ? []
      : ['A node needs namespaces of its own, and unshare (util-linux) cannot make them here.']),
    ...(packages.length === 0
      ? []
      : [`Programs are missing; on Debian: apt-get install --no-install-recommends ${packages.join(' ')}`]),
  ];
}

/**
 * Runs this program again in network, mount and process namespaces of its own: nothing of the machine is touched, and
 * every process of the node ends with it.
 * @returns its exit code.
 */
export function runInsideNode(file: string, args: readonly string[]): Promise<number> {
  const child = spawn('unshare', [...unshare, process.execPath, file, ...args], {
    stdio: 'inherit',
    env: { ...process.env, [isInside]: '1' },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
