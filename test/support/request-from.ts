import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** A request on a socket that comes from `remoteAddress`. */
export function requestFrom(
  remoteAddress: string | undefined,
  headers: IncomingMessage['headers'] = {},
  isTls = false,
): IncomingMessage {
  const socket = new Socket();
  const remotePort = remoteAddress === undefined ? undefined : 4711;
  Object.defineProperties(socket, { remoteAddress: { value: remoteAddress }, remotePort: { value: remotePort } });
  if (isTls) Object.defineProperty(socket, 'encrypted', { value: true });
  const req = new IncomingMessage(socket);
  Object.assign(req.headers, headers);
  return req;
}
