/** The order of messages, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../ordering.test.js');
