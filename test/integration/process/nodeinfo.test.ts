/** The page of a node about itself, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../nodeinfo.test.js');
