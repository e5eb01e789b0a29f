/** The scenarios of the vectors, with fronts that lead to a router in a process of its own. */
import { putBehindFronts, putInProcesses } from '../../support/daemon.js';

putBehindFronts();
putInProcesses();
await import('../vectors/scenarios.test.js');
