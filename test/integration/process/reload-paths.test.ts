/** Reloads of paths, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../reload/paths.test.js');
