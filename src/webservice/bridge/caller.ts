/**
 * `caller`: calls for programs that post `{"procedure": ..., "args": [...], "kwargs": {...}}`, and answers with the result,
 * `{"args": [...], "kwargs": {...}}`. A program that does not wait any more cancels its call.
 */
import { callBody } from '../../serializer/json/body.js';
import { CALL } from '../../wamp/message.js';
import { NO_PAYLOAD } from '../../wamp/payload.js';
import type { WebService } from '../../http/service.js';
import type { WebServiceDeps } from '../service.js';
import { resultAnswer } from './answers.js';
import { BridgeService } from './bridge.js';
import type { BridgeKind } from './bridge.js';
import { decodeBody } from './decode.js';
import type { CallerConfig } from './schema.js';

/** @param timeoutMs 0 for as long as the client waits. */
function calling(timeoutMs: number, errorStatus: boolean): BridgeKind {
  const options = timeoutMs === 0 ? {} : { timeout: timeoutMs };
  return {
    mustBeJson: true,
    errorStatus,
    async requestOf(body) {
      const message = await decodeBody(callBody, body);
      if (message === undefined) return undefined;
      if (message.type !== CALL) throw new TypeError('a body that is no CALL');
      return { ...message, options };
    },
    answerTo: (answer) => resultAnswer('payload' in answer ? answer.payload : NO_PAYLOAD),
  };
}

/** See the head of the file. */
export function createCaller(config: CallerConfig, deps: WebServiceDeps): WebService {
  const { timeout, error_status: errorStatus } = config.options;
  return new BridgeService(config, calling(timeout, errorStatus), deps);
}
