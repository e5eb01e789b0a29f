/** The keywords that other programs do not know: neither ajv nor the published schema gets them. */
import type { OwnKeywords } from '../schema/dialect.js';

/** The compiler sees to it that none is missing. */
const KEYWORDS: Readonly<Record<keyof OwnKeywords, true>> = {
  allowed: true,
  absent: true,
  notYet: true,
  refuses: true,
  because: true,
  noEffect: true,
  unknownKeys: true,
  adapt: true,
  section: true,
  standsAt: true,
  form: true,
  is: true,
  ifAbsent: true,
  private: true,
  state: true,
  provider: true,
  identity: true,
  inherited: true,
  borrows: true,
  below: true,
  clients: true,
  letsIn: true,
  front: true,
  reload: true,
  rules: true,
  looks: true,
};

export function isOwnKeyword(keyword: string): boolean {
  return Object.hasOwn(KEYWORDS, keyword);
}
