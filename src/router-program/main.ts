/** The program of a router worker in a process of its own: see `router-process.ts`. */
import { Socket } from 'node:net';
import { RouterProcess } from './router-process.js';

/** Behind the input and the outputs. */
const CHANNEL_FD = 3;

// First of all: without a listener Node.js answers this signal by opening its debugger.
process.on('SIGUSR1', () => undefined);
new RouterProcess(new Socket({ fd: CHANNEL_FD, readable: true, writable: true }), process).run();
