/** Which roles of a config a question is about: realms and roles by their names, which may be left out where there is but one. */
import { TRUSTED_ROLE, Role } from '../../router/role.js';
import type { RealmConfig } from '../../router/schema.js';
import type { CheckedConfig } from '../check.js';
import { quote } from '../schema-words.js';
import type { Path } from '../source/source.js';
import { nearest } from '../suggest.js';

/** A role of a realm, as the router makes it of the config. */
export interface Target {
  readonly role: Role;
  readonly realm: RealmConfig;
  /** The id of its worker, and its place among the workers, counted from 0. */
  readonly worker: string;
  readonly workerIndex: number;
  /** Whether the worker is switched off. */
  readonly isDisabled: boolean;
  /** Where the realm stands in the config. */
  readonly realmPath: Path;
  /** Where the role stands; undefined for the role that every realm has. */
  readonly rolePath: Path | undefined;
}

/** Names as somebody typed them. */
export interface Names {
  readonly realm?: string | undefined;
  readonly role?: string | undefined;
}

type RealmPlace = Omit<Target, 'role' | 'rolePath'>;

/** @returns the roles that are meant: one for each worker that has them; or in words why there are none. */
export function targetsOf({ config }: Pick<CheckedConfig, 'config'>, names: Names): readonly Target[] | string {
  const places = realmPlaces(config);
  const known = unique(places.map(({ realm }) => realm.name));
  if (known.length === 0) return 'the config has no realm';
  const name = chosen('realm', names.realm, known);
  if (name.problem !== undefined) return name.problem;
  const realms = places.filter(({ realm }) => realm.name === name.word);

  const written = unique(realms.flatMap(({ realm }) => realm.roles.map((role) => role.name)));
  const role = names.role === TRUSTED_ROLE ? { word: TRUSTED_ROLE } : chosen('role', names.role, written, name.word);
  if (role.problem !== undefined) return role.problem;
  return realms.flatMap((place) => roleIn(place, role.word));
}

function realmPlaces({ workers }: CheckedConfig['config']): RealmPlace[] {
  return workers.flatMap((worker, workerIndex) => {
    if (!('realms' in worker)) return [];
    const common = { worker: worker.id, workerIndex, isDisabled: worker.options.disabled };
    return worker.realms.map((realm, index) => {
      return { realm, ...common, realmPath: ['workers', String(workerIndex), 'realms', String(index)] };
    });
  });
}

function roleIn(place: RealmPlace, name: string): Target[] {
  const index = place.realm.roles.findIndex((role) => role.name === name);
  const config = place.realm.roles[index];
  if (config !== undefined) {
    return [{ ...place, role: new Role(config), rolePath: [...place.realmPath, 'roles', String(index)] }];
  }
  return name === TRUSTED_ROLE ? [{ ...place, role: Role.trusted(), rolePath: undefined }] : [];
}

type Choice =
  { readonly word: string; readonly problem?: undefined } | { readonly word?: undefined; readonly problem: string };

function chosen(what: 'realm' | 'role', asked: string | undefined, known: readonly string[], realm?: string): Choice {
  const where = realm === undefined ? '' : ` on realm ${quote(realm)}`;
  const all = known.length === 0 ? `there is none${where}` : `there are${where}: ${known.map(quote).join(', ')}`;
  const [first, ...others] = known;
  if (asked === undefined) {
    if (first !== undefined && others.length === 0) return { word: first };
    return { problem: `say which ${what} is meant with --${what} (${all})` };
  }
  if (known.includes(asked)) return { word: asked };
  const near = nearest(asked, known);
  const guess = near === undefined ? '' : `, did you mean ${quote(near)}?`;
  return { problem: `there is no ${what} ${quote(asked)}${guess} (${all})` };
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
