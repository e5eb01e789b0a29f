/** The suite `cookie-login`, with router workers in processes of their own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../cookie-login.test.js');
