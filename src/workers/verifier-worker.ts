import { parentPort } from 'node:worker_threads';
import { createVerifier } from '../verification/verifier.ts';
import { packOutcome } from './messages.ts';
import type { Answer, Job, Parcel } from './messages.ts';

// One thread of the pool: a verifier that is asked by messages, one job after another.

const port = parentPort;
if (port === null) throw new Error('This runs as a thread of the verifier pool only.');
const verifier = createVerifier();

const answerTo = async (job: Job): Promise<Parcel<Answer>> => {
  switch (job.kind) {
    case 'verify':
      return await packOutcome(await verifier.verify(job.request));
    case 'crossCheck': {
      const result = await verifier.crossCheck(job.request);
      return { message: { kind: 'crossChecked', result }, transfer: [] };
    }
  }
};

port.on('message', (job: Job) => {
  // What throws here ends the thread, and the pool answers for it.
  void answerTo(job).then(({ message, transfer }) => {
    port.postMessage(message, [...transfer]);
  });
});
port.postMessage({ kind: 'ready' } satisfies Answer);
