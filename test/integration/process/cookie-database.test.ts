/** Cookies in a database, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../cookie-database.test.js');
