/** Random WAMP, sent to fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../../abuse/wamp.test.js');
