/** The contract of authentication methods, for clients that say anything at all. */
import { authMethodHoldsOut } from '../../contract/auth-method.js';
import { AUTH_CLIENTS } from '../../support/auth-clients.js';

for (const client of AUTH_CLIENTS) authMethodHoldsOut(client);
