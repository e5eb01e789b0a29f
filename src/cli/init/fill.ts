/**
 * What `init` puts into the files of a template. They work as they are, with the port, the realm and the texts below; only the salts of
 * users are made by `init`, so that nobody's password is published.
 */
import { derivedKey } from '../../auth/wampcra/derived-key.js';
import { drawBytes } from '../../system/random.js';

/** What the templates have; each stands for itself in a config, and the realm in a page, too. */
const PORT = '"port": 8080';
const REALM = /(["'])realm1\1/g;
const SALT = /\{\{salt of ([a-z]+)\}\}/g;
/** As the templates say beside the salt. */
const ITERATIONS = 10_000;

/** What the user of the command chose. */
export interface Choices {
  readonly port?: number;
  readonly realm?: string;
}

/** A user for whom the config of a template has a place. */
export interface NewUser {
  readonly name: string;
  /** Told once, and written nowhere. */
  readonly password: string;
  readonly salt: string;
  /** What the node has of the password. It lets in as well as the password does. */
  readonly key: string;
}

/** @returns the users of a config, each with a password of their own. */
export async function newUsers(config: string): Promise<NewUser[]> {
  const names = [...new Set([...config.matchAll(SALT)].map(([, name = '']) => name))];
  return Promise.all(names.map(newUser));
}

async function newUser(name: string): Promise<NewUser> {
  const [password, salt] = [newPassword(), drawBytes(12).toString('base64url')];
  return { name, password, salt, key: await derivedKey(password, { salt, iterations: ITERATIONS }) };
}

/** Without letters and digits that look alike; 32 of them, so that each octet gives one. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** @returns 80 random bits, in a form that people can type. */
function newPassword(): string {
  const letters = [...drawBytes(16)].map((octet) => LETTERS[octet % LETTERS.length] ?? '');
  return letters.join('').replaceAll(/....(?=.)/g, '$&-');
}

/** @returns the text of a config. */
export function filledConfig(text: string, { port, realm }: Choices, users: readonly NewUser[]): string {
  const withPort = port === undefined ? text : text.replace(PORT, `"port": ${port}`);
  const salts = new Map(users.map(({ name, salt }) => [name, salt]));
  return filledPage(withPort, { ...(realm !== undefined && { realm }) }).replaceAll(
    SALT,
    (token, name: string) => salts.get(name) ?? token,
  );
}

/** @returns the text of a page or a script. */
export function filledPage(text: string, { realm }: Choices): string {
  // A valid name of a realm needs no escape, in JSON or in a script.
  return realm === undefined ? text : text.replaceAll(REALM, (_token, quote: string) => quote + realm + quote);
}
