/** The limits on connections and strangers, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../limits.test.js');
