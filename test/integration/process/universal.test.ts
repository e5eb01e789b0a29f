/** Transports of all kinds on one port, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../universal.test.js');
