// Says what this machine lacks for a node, and exits 1 if anything: node e2e/node/say-what-lacks.ts
import { lacksForNode } from './enter-namespaces.ts';

const lacks = lacksForNode();
process.stdout.write(lacks.map((lack) => `${lack}\n`).join(''));
process.exitCode = lacks.length === 0 ? 0 : 1;
