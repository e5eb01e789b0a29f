/**
 * `webhook`: publishes whatever is posted to one topic, for services that call back by HTTP. Subscribers get one argument,
 * `{"headers": {"Content-Type": ["..."]}, "body": "..."}`; a body that is no UTF-8, or begins with a NUL, is a byte string, with
 * `"encoding": "base64"`, which is how JSON has it. Whoever posts gets 202 and a short text.
 */
import { isUtf8 } from 'node:buffer';
import type { Answer } from '../../http/answer.js';
import type { WebRequest } from '../../http/service.js';
import { hookBody, hookBytes } from '../../serializer/json/hook.js';
import { PUBLISH } from '../../wamp/message.js';
import type { WebService } from '../../http/service.js';
import type { WebServiceDeps } from '../service.js';
import { BridgeService } from './bridge.js';
import type { BridgeKind } from './bridge.js';
import { decodeOwn } from './decode.js';
import type { WebhookConfig } from './schema.js';

function hooking({ options }: WebhookConfig): BridgeKind {
  const { topic, success_response: success, error_response: failure, secret_headers: wanted } = options;
  const isLeftOut = leftOut(new Set(wanted.map((name) => name.toLowerCase())));
  return {
    mustBeJson: false,
    errorStatus: false,
    async requestOf(body, { req }) {
      const message = await decodeOwn(hookBody, hookBytes({ topic, headers: headersOf(req, isLeftOut), body }));
      if (message === undefined) return undefined;
      if (message.type !== PUBLISH) throw new TypeError('a hook that is no PUBLISH');
      return message;
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
function headersOf({ rawHeaders }: WebRequest['req'], isLeftOut: (name: string) => boolean): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (isLeftOut(name)) continue;
    const shown = name.replace(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase());
    const value = valueOf(rawHeaders[at + 1] ?? '');
    const values = headers.get(shown);
    if (values === undefined) headers.set(shown, [value]);
    else values.push(value);
  }
  return Object.fromEntries(headers);
}

/** Node.js reads headers as Latin-1. What is UTF-8 was meant so. */
function valueOf(header: string): string {
  const bytes = Buffer.from(header, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : header;
}

function textAnswer(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body, headers: { 'Cache-Control': 'no-store' } };
}

/** See the head of the file. */
export function createWebhook(config: WebhookConfig, deps: WebServiceDeps): WebService {
  return new BridgeService(config, hooking(config), deps);
}
