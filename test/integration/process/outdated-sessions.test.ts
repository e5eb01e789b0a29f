/** Sessions that a reload would not let in any more, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../reload/outdated-sessions.test.js');
