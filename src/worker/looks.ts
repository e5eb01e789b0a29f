/** The looks that the schemas name: word -> code. The compiler demands one for every word. */
import { lookAtSessionStore } from '../auth/session/look.js';
import { lookAtJwt } from '../auth/jwt/look.js';
import { lookAtCookieDatabase } from '../cookie/database/look.js';
import { lookAtCookieFile } from '../cookie/file/look.js';
import type { Look, LookWord } from '../schema/look.js';
import { lookAtModule } from '../system/module-look.js';
import { lookAtSocketFile } from '../transport/listen/look.js';
import { lookAtTls } from '../transport/tls/look.js';
import { lookAtPython } from './host/look.js';
import { lookAtArchive } from '../webservice/archive/look.js';
import { lookAtStaticDirectory } from '../webservice/static/look.js';
import { lookAtCgi } from '../webservice/cgi/look.js';
import { lookAtUpload } from '../webservice/upload/look.js';
import { lookAtLoginProviders } from '../webservice/login/providers/look.js';
import { lookAtGuest } from './guest/look.js';
import { lookAtContainer } from './container/look.js';

/** Each gets the value whose schema names it. */
export const LOOKS: Readonly<Record<LookWord, Look<never>>> = {
  tls: lookAtTls,
  'socket file': lookAtSocketFile,
  'static directory': lookAtStaticDirectory,
  archive: lookAtArchive,
  'login providers': lookAtLoginProviders,
  upload: lookAtUpload,
  cgi: lookAtCgi,
  module: lookAtModule,
  python: lookAtPython,
  'cookie file': lookAtCookieFile,
  'cookie database': lookAtCookieDatabase,
  'session store': lookAtSessionStore,
  guest: lookAtGuest,
  container: lookAtContainer,
  jwt: lookAtJwt,
};
