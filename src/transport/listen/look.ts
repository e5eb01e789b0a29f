/** Whether a socket file can be made where the config says. */
import type { Look } from '../../schema/look.js';
import type { UnixEndpointConfig } from '../endpoint-schema.js';
import { listenError } from './listen.js';
import { checkSocketFile } from './socket-file.js';

/** The look `socket file`. */
export const lookAtSocketFile: Look<UnixEndpointConfig> = async (endpoint, { report }) => {
  try {
    await checkSocketFile(endpoint);
  } catch (error) {
    report(['path'], listenError(error, endpoint).message);
  }
};
