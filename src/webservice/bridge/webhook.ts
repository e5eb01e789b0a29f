/**
 * `webhook`: publishes whatever is posted to one topic, for services that call back by HTTP. Subscribers get one argument,
 * `{"headers": {"Content-Type": ["..."]}, "body": "..."}`; a body that is no UTF-8 is a byte string, with `"encoding": "base64"`, which
 * is how JSON has it. Whoever posts gets 202 and a short text.
 */
import type { Answer } from '../../http/answer.js';
import type { WebRequest } from '../../http/service.js';
import { PUBLISH } from '../../wamp/message.js';
import { payloadOf } from '../../wamp/payload.js';
import type { WebServiceType } from '../service.js';
import { BridgeService } from './bridge.js';
import type { BridgeKind } from './bridge.js';
import type { WebhookConfig } from './schema.js';

function hooking({ options }: WebhookConfig): BridgeKind {
  const { topic, success_response: success, error_response: failure, secret_headers: wanted } = options;
  const isLeftOut = leftOut(new Set(wanted.map((name) => name.toLowerCase())));
  return {
    mustBeJson: false,
    errorStatus: false,
    requestOf(body, { req }) {
      const hook = { headers: headersOf(req, isLeftOut), ...textOf(body) };
      return Promise.resolve({ type: PUBLISH, options: { acknowledge: true }, topic, payload: payloadOf([hook]) });
    },
    answerTo: () => textAnswer(202, success),
    answerToError: () => textAnswer(500, failure),
  };
}

/** Secrets of whoever posts, which are no business of subscribers. */
const SECRETS = /^(?:authorization|cookie|x-hub-signature.*)$/;

function leftOut(wanted: ReadonlySet<string>): (name: string) => boolean {
  return (name) => SECRETS.test(name) && !wanted.has(name);
}

/** @returns name -> values, in the order in which they came; names as Crossbar.io has them, with capitals. */
function headersOf({ rawHeaders }: WebRequest['req'], isLeftOut: (name: string) => boolean): object {
  const headers = new Map<string, string[]>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (isLeftOut(name)) continue;
    const shown = name.replace(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase());
    const values = headers.get(shown) ?? [];
    headers.set(shown, [...values, valueOf(rawHeaders[at + 1] ?? '')]);
  }
  return Object.fromEntries(headers);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Node.js reads headers as Latin-1. What is UTF-8 was meant so. */
function valueOf(header: string): string {
  return decoded(Buffer.from(header, 'latin1')) ?? header;
}

function textOf(body: Buffer): { readonly body: string | Uint8Array; readonly encoding?: 'base64' } {
  const text = decoded(body);
  // The memory of the body is not ours.
  return text === undefined ? { body: new Uint8Array(body), encoding: 'base64' } : { body: text };
}

/** @returns undefined for what is no UTF-8. */
function decoded(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    // A stranger may send anything.
    return undefined;
  }
}

function textAnswer(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body, headers: { 'Cache-Control': 'no-store' } };
}

/** See the head of the file. */
export const webhookServiceType: WebServiceType<WebhookConfig> = {
  type: 'webhook',
  tracksItself: true,
  create: (config, deps) => new BridgeService(config, hooking(config), deps),
};
