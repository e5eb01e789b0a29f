/**
 * Version 1 of the format, read as version 2. The tree of the file is changed, not its value: each part that is new has the
 * offset of the part that it stands for, so that problems point to the lines of the file as it is written.
 *
 * What differs are the entries of `permissions`, and nothing else: `{"uri": "com.*", "call": true}` becomes
 * `{"uri": "com.", "match": "prefix", "allow": {"call": true, ...}, ...}`. An entry that has `allow` is kept as it is.
 */
import { pathOf, pointerOf } from '../source/source.js';
import type { ParsedSource, Path, SourceMember, SourceNode } from '../source/source.js';
import { ROOT } from '../source/text.js';
import type { Finding } from '../source/text.js';
import { nearest } from '../suggest.js';
import { upgradeUri } from './uri.js';

type ObjectNode = Extract<SourceNode, { kind: 'object' }>;

/** The actions of a rule, in the order in which an upgraded entry has them. */
export const ACTIONS = ['call', 'register', 'publish', 'subscribe'] as const;
/** The keys of an entry of version 1. `cache` is one of version 2 that changes nothing. */
export const ENTRY_KEYS = ['uri', ...ACTIONS, 'match', 'disclose', 'cache'] as const;

/** From the root down to the entries. Only one kind of worker has realms. */
export const LISTS = ['workers', 'realms', 'roles', 'permissions'] as const;

/** A parsed file, upgraded if it was of version 1. */
export interface UpgradedSource extends ParsedSource {
  /** Whether the file was of version 1. */
  readonly old: boolean;
  readonly warnings: readonly Finding[];
  /** @returns the same finding with the pointer that its place has in the file as it is written. */
  readonly asWritten: (finding: Finding) => Finding;
}

/** Upgrades what is of version 1; anything else is returned as it is. The format of Crossbar.io 0.8 is refused. */
export function upgradeSource(source: ParsedSource): UpgradedSource {
  const { root } = source;
  if (root?.kind !== 'object') return { ...source, ...AS_IT_IS };
  const processes = root.members.find(({ key }) => key === 'processes');
  if (processes !== undefined) return { findings: [refusalOf(processes)], ...AS_IT_IS };
  if (!isOld(root)) return { ...source, ...AS_IT_IS };

  const upgrade = new Upgrade();
  const upgraded = withVersion(upgrade.read(root), root);
  const warnings = [{ offset: root.offset, pointer: ROOT, text: UPGRADED }, ...upgrade.warnings];
  return {
    root: upgraded,
    old: true,
    findings: [...source.findings, ...upgrade.findings],
    warnings,
    asWritten: (finding) => upgrade.asWritten(finding, upgraded),
  };
}

const AS_IT_IS = { old: false, warnings: [], asWritten: (finding: Finding) => finding } as const;

/** What is said of a file that was upgraded. */
export const UPGRADED =
  'is of version 1, and was upgraded in memory only; "crossbar-ts upgrade" writes it as version 2 and keeps the old file';

const PROCESSES =
  'found "processes" of Crossbar.io 0.8, which no command upgrades (allowed: "workers"; write each router among the ' +
  'processes as a worker of type "router", with "realms", "roles" and "permissions" as lists: see docs/migration.md, "Version 1")';

/** The only finding: everything else in such a file would be a consequence. */
function refusalOf({ keyOffset }: SourceMember): Finding {
  return { offset: keyOffset, pointer: '/processes', text: PROCESSES };
}

function isOld(root: ObjectNode): boolean {
  const version = root.members.findLast(({ key }) => key === 'version');
  return version === undefined || (version.value.kind === 'scalar' && version.value.value === 1);
}

/** A version that is there twice is still there twice, and so it is told. */
function withVersion(upgraded: ObjectNode, { offset }: ObjectNode): ObjectNode {
  const first = upgraded.members.findIndex(({ key }) => key === 'version');
  const others = upgraded.members
    .filter((_, index) => index !== first)
    .map((member) => (member.key === 'version' ? { ...member, value: scalar(2, member.value.offset) } : member));
  return { ...upgraded, members: [{ key: 'version', keyOffset: offset, value: scalar(2, offset) }, ...others] };
}

class Upgrade {
  readonly findings: Finding[] = [];
  readonly warnings: Finding[] = [];
  /** The entries that were upgraded, as they are now. */
  readonly #entries = new Set<SourceNode>();
  /** For each level: node -> what became of it. Aliases of YAML share a node, and a few can expand to any number of them. */
  readonly #done = new Map<string, Map<SourceNode, SourceNode>>();

  read(root: ObjectNode): ObjectNode {
    return this.#list(root, [], 0);
  }

  /** Findings about an action of an upgraded entry: it stands in the entry itself. */
  asWritten(finding: Finding, root: SourceNode): Finding {
    const path = finding.pointer.startsWith('/') ? pathOf(finding.pointer) : [];
    const entry = path.slice(0, 2 * LISTS.length);
    if (path[entry.length] !== 'allow' || path.length === entry.length + 1) return finding;
    if (!this.#entries.has(nodeAt(root, entry) ?? root)) return finding;
    return { ...finding, pointer: pointerOf([...entry, ...path.slice(entry.length + 1)]) };
  }

  /** Changes the items of one of {@link LISTS} in `holder`. */
  #list(holder: ObjectNode, path: Path, level: number): ObjectNode {
    const name = LISTS[level];
    const members = holder.members.map((member) => {
      if (member.key !== name || member.value.kind !== 'array') return member;
      const list = member.value;
      const value = this.#once(list, `list ${level}`, () => ({
        ...list,
        items: list.items.map((item, index) => this.#item(item, [...path, name, String(index)], level)),
      }));
      return { ...member, value };
    });
    return { ...holder, members };
  }

  #item(item: SourceNode, path: Path, level: number): SourceNode {
    if (item.kind !== 'object') return item;
    return this.#once(item, `item ${level}`, () => {
      if (LISTS[level] === 'permissions') return this.#entry(item, path);
      return this.#list(item, path, level + 1);
    });
  }

  #once(node: SourceNode, level: string, change: () => SourceNode): SourceNode {
    const done = this.#done.get(level) ?? new Map<SourceNode, SourceNode>();
    this.#done.set(level, done);
    const known = done.get(node) ?? change();
    done.set(node, known);
    return known;
  }

  #entry(entry: ObjectNode, path: Path): SourceNode {
    if (has(entry, 'allow')) return entry;
    const { uri, match } = upgradeUri(textOf(entry, 'uri') ?? '');
    const { offset } = entry;
    const upgraded: ObjectNode = {
      ...entry,
      members: [
        ...membersOf(entry, 'uri').map((member) =>
          textAt(member.value) === undefined ? member : { ...member, value: scalar(uri, member.value.offset) },
        ),
        { key: 'match', keyOffset: offset, value: scalar(match, offset) },
        { key: 'allow', keyOffset: offset, value: complete({ ...entry, members: [] }, ACTIONS, entry) },
        ...disclosed(entry),
        { key: 'cache', keyOffset: offset, value: scalar(true, offset) },
      ],
    };
    this.#entries.add(upgraded);
    this.#judgeOthers(entry, path, match);
    return upgraded;
  }

  /** `crossbar upgrade` drops these keys without a word. */
  #judgeOthers(entry: ObjectNode, path: Path, match: string): void {
    for (const { key, keyOffset, value } of entry.members) {
      const place = { offset: keyOffset, pointer: pointerOf([...path, key]) };
      if (key === 'match' && textAt(value) !== match) {
        const text = `has no effect in version 1, where "*" in "uri" says how it is compared: "${match}" here`;
        this.warnings.push({ ...place, text });
      }
      if (ENTRY_KEYS.some((known) => known === key)) continue;
      const meant = nearest(key, ENTRY_KEYS);
      if (meant === undefined) this.warnings.push({ ...place, text: 'has no effect: version 1 has no such key here' });
      else this.findings.push({ ...place, text: `unknown key ${JSON.stringify(key)}, did you mean "${meant}"?` });
    }
  }
}

/** `crossbar upgrade` loses them, and with them what the other side is shown; here they are kept. */
function disclosed(entry: ObjectNode): SourceMember[] {
  const { offset } = entry;
  const written = membersOf(entry, 'disclose');
  const nothing = { key: 'disclose', keyOffset: offset, value: { kind: 'object', offset, members: [] } } as const;
  return (written.length === 0 ? [nothing] : written).map((member) => ({
    ...member,
    value: member.value.kind === 'object' ? complete(member.value, ['caller', 'publisher']) : member.value,
  }));
}

/** Adds flags that are not there, as false, or takes them from another object. */
function complete(node: ObjectNode, flags: readonly string[], from: ObjectNode = node): ObjectNode {
  const { offset } = node;
  const members = flags.flatMap((key): readonly SourceMember[] => {
    const written = membersOf(from, key);
    return written.length > 0 ? written : [{ key, keyOffset: offset, value: scalar(false, offset) }];
  });
  return { ...node, members: [...members, ...node.members.filter(({ key }) => !flags.includes(key))] };
}

function membersOf(node: ObjectNode, key: string): readonly SourceMember[] {
  return node.members.filter((member) => member.key === key);
}

function has(node: ObjectNode, key: string): boolean {
  return membersOf(node, key).length > 0;
}

function textOf(node: ObjectNode, key: string): string | undefined {
  const member = membersOf(node, key).at(-1);
  return member === undefined ? undefined : textAt(member.value);
}

function textAt(node: SourceNode): string | undefined {
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

function scalar(value: string | number | boolean, offset: number): SourceNode {
  return { kind: 'scalar', offset, value };
}

function nodeAt(root: SourceNode, path: Path): SourceNode | undefined {
  return path.reduce<SourceNode | undefined>((node, segment) => {
    if (node?.kind === 'object') return membersOf(node, segment).at(-1)?.value;
    return node?.kind === 'array' ? node.items[Number(segment)] : undefined;
  }, root);
}
