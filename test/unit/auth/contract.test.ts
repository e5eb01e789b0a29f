/** The contract of authentication methods, for every method that asks for a secret. */
import { authMethodContract } from '../../contract/auth-method.js';
import { AUTH_CLIENTS } from '../../support/auth-clients.js';

for (const client of AUTH_CLIENTS) authMethodContract(client);
