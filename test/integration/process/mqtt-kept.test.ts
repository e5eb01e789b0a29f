/** Clients of MQTT that are kept, with the router in a process of its own. */
import { putInProcesses } from '../../support/daemon.js';

putInProcesses();
await import('../mqtt/kept.test.js');
