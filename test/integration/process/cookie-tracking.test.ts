/** The suite `cookie-tracking`, with router workers in processes of their own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../cookie-tracking.test.js');
