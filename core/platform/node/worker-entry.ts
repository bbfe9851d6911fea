/** The worker thread's program: one target, driven by messages from the thread that started it. */
import { setImmediate } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { Driver } from '../../session/driver.ts';
import type { ToTarget } from '../../session/target-api.ts';
import { nodeHash } from './hash.ts';

if (parentPort === null) throw new Error('worker-entry runs in a worker thread only');
const port = parentPort;

const driver = new Driver(
  {
    sharedMemory: true,
    hash: nodeHash,
    yieldToEventLoop: () => setImmediate(),
    now: () => performance.now(),
  },
  (message) => port.postMessage(message),
);
port.on('message', (message: ToTarget) => driver.handle(message));
port.postMessage('ready');
