import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeImageArchive } from '../../scripts/image-archive.ts';
import { ensureComponent } from '../components/ensure-component.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { runCommand } from '../processes/run-command.ts';
import { startService } from '../processes/start-service.ts';
import { podNetwork } from './addresses.ts';

/** What holds the namespaces of a Pod; made here, for no registry has it. */
const pauseImage = 'refwarden.test/pause:1';

/** Files of containerd; what is under `state` is lost by a reboot. */
export interface ContainerdFiles {
  readonly root: string;
  readonly state: string;
  readonly socket: string;
  /** A directory for each registry that is spoken to without TLS. */
  readonly hosts: string;
  readonly config: string;
  readonly cni: string;
}

export function containerdFiles(directory: string): ContainerdFiles {
  const at = (name: string): string => join(directory, 'containerd', name);
  return {
    root: at('root'),
    state: at('state'),
    socket: at('containerd.sock'),
    hosts: at('hosts'),
    config: at('config.toml'),
    cni: at('cni'),
  };
}

export async function startContainerd(directory: string): Promise<BackgroundProcess> {
  const files = containerdFiles(directory);
  for (const path of [files.hosts, files.cni]) await mkdir(path, { recursive: true });
  await writeFile(files.config, configuration(files));
  await writeFile(join(files.cni, '10-bridge.conflist'), JSON.stringify(bridge));
  const shim = await ensureComponent('containerd-shim-runc-v2');
  const containerd = await startService({
    name: 'containerd',
    file: await ensureComponent('containerd'),
    args: [`--config=${files.config}`],
    logPath: join(directory, 'containerd.log'),
    env: { PATH: `${dirname(shim)}:${process.env['PATH'] ?? ''}` },
    isReady: async () => ((await ctr(files, 'version')).code === 0 ? true : undefined),
  });
  const archive = join(directory, 'pause.tar');
  const layers = [new Map([['/pause', await ensureComponent('pause')]])];
  writeImageArchive(archive, pauseImage, { layers, config: { Entrypoint: ['/pause'] } });
  await importImage(directory, archive);
  return containerd;
}

/** Makes the images of an OCI image layout (tar) known under their names. */
export async function importImage(directory: string, archive: string): Promise<void> {
  const { code, stderr } = await ctr(containerdFiles(directory), 'images', 'import', archive);
  if (code !== 0) throw new Error(`containerd could not import ${archive}: ${stderr}`);
}

/** Has images of this registry pulled without TLS. */
export async function allowPlainHttp(directory: string, host: string): Promise<void> {
  const path = join(containerdFiles(directory).hosts, host);
  await mkdir(path, { recursive: true });
  const capabilities = 'capabilities = ["pull", "resolve"]';
  await writeFile(
    join(path, 'hosts.toml'),
    `server = "http://${host}"\n[host."http://${host}"]\n  ${capabilities}\n`,
  );
}

/** Ends what containerd started, and everything that it keeps in memory, as a power cut does. */
export async function killContainers(directory: string): Promise<void> {
  const { stdout } = await runCommand('ps', ['-eo', 'pid=,cgroup=,args=']);
  const isOfPod = (line: string): boolean =>
    line.includes('kubepods') || line.includes('containerd-shim-runc-v2');
  for (const line of stdout.split('\n').filter(isOfPod)) {
    try {
      process.kill(Number.parseInt(line, 10), 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
  const { state } = containerdFiles(directory);
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  for (const line of mounts.split('\n').reverse()) {
    const path = line.split(' ')[1] ?? '';
    const isGone =
      path.startsWith(state) || path.startsWith(join(directory, 'kubelet')) || path.includes('/run/netns/');
    if (isGone) await runCommand('umount', ['--lazy', path]);
  }
  await rm(state, { recursive: true, force: true });
}

async function ctr(files: ContainerdFiles, ...args: string[]): ReturnType<typeof runCommand> {
  const binary = await ensureComponent('ctr');
  return runCommand(binary, [`--address=${files.socket}`, '--namespace=k8s.io', ...args], {
    timeoutMs: 60_000,
  });
}

const bridge = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: podNetwork }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

/** containerd, docs/cri/config.md, version 3. */
const configuration = ({ root, state, socket, hosts, cni }: ContainerdFiles): string => `version = 3
root = "${root}"
state = "${state}"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "${hosts}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "${cni}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "/usr/sbin/runc"
`;
