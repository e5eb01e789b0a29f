/** The commands about sessions, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../sessions-cli.test.js');
