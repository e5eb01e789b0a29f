/**
 * The head of an HTTP request, as far as an upgrade is decided by it. The HTTP server of Node.js makes such an object of every request;
 * most handshakes of WebSockets are read without it (`http/upgrade-head.ts`).
 */
import type { IncomingMessage } from 'node:http';

/** What of a request whoever answers an upgrade may look at. */
export type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders' | 'socket'>;
