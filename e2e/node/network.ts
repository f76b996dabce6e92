import { runCommandOrThrow } from '../processes/run-command.ts';
import { nodeAddress } from './addresses.ts';

const ip = async (...args: string[]): Promise<void> => {
  await runCommandOrThrow('ip', args);
};

/** Gives the network namespace of this process loopback and a bridge with the address of the node. Safe to call twice. */
export async function makeNodeNetwork(): Promise<void> {
  await ip('link', 'set', 'lo', 'up');
  const { stdout } = await runCommandOrThrow('ip', ['-o', 'addr', 'show']);
  if (stdout.includes(`${nodeAddress}/`)) return;
  await ip('link', 'add', 'node0', 'type', 'bridge');
  await ip('addr', 'add', `${nodeAddress}/24`, 'dev', 'node0');
  await ip('link', 'set', 'node0', 'up');
  // The programs of Kubernetes look for a default route, to learn which address is theirs.
  await ip('route', 'add', 'default', 'dev', 'node0', 'src', nodeAddress);
}

/** What a reboot loses: rules of Services, and the bridge of the Pods. */
export async function forgetPodNetwork(): Promise<void> {
  for (const table of ['nat', 'filter', 'mangle']) {
    await runCommandOrThrow('iptables', ['-t', table, '--flush']);
    await runCommandOrThrow('iptables', ['-t', table, '--delete-chain']);
  }
  const { stdout } = await runCommandOrThrow('ip', ['-o', 'link', 'show']);
  if (stdout.includes(' cni0:')) await ip('link', 'delete', 'cni0');
}
