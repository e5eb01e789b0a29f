/** The features of autobahn-js, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../autobahn-advanced.test.js');
