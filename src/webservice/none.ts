/**
 * `none`: answers 404 to everything. It takes a path out of the service around it.
 */
import type { ServerResponse } from 'node:http';
import { sendStatus } from '../http/answer.js';
import { READ_ONLY } from '../http/methods.js';
import type { NoneConfig } from './none-schema.js';
import type { WebRequest, WebService } from '../http/service.js';
import type { WebServiceType } from './service.js';

const nothing: WebService = {
  methods: READ_ONLY,
  handle(_request: WebRequest, res: ServerResponse): void {
    sendStatus(res, 404, 'There is nothing here.');
  },
};

/** It has no options. */
export const noneServiceType: WebServiceType<NoneConfig> = {
  type: 'none',
  atFront: 'untracked',
  create: () => nothing,
};
