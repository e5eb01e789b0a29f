/**
 * The rows of the conformance checklist for routers that are built, each with the tests that hold it: all of priority
 * P0 and P1, and those of P2 that are there. Most of the Basic Profile is held by vectors, which name their rows.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { ADVANCED_ROWS } from './rows-advanced.js';
import { AUTH_ROWS } from './rows-auth.js';
import { BASIC_ROWS } from './rows-basic.js';
import { LONG_POLL_ROWS } from './rows-long-poll.js';
import { INVALID, SCENARIOS, row } from './rows-tests.js';
import type { HeldRow } from './rows-tests.js';

/** Every id, a line for each group. */
export const EXPECTED: readonly string[] = `
  B-SER-01 B-SER-02 B-SER-03 B-SER-04 B-SER-05 B-SER-06 B-SER-07 B-SER-08 B-SER-09 B-SER-10 B-SER-11 B-SER-12
  A-JSB-01 A-JSB-02 A-JSB-03 A-JSB-04 A-JSB-05
  B-URI-01 B-URI-02 B-URI-03 B-URI-04 B-URI-05 B-URI-06 B-URI-07 B-URI-08 B-URI-09 B-URI-10 B-URI-11 B-URI-12
  B-URI-13
  B-ID-01 B-ID-02 B-ID-03 B-ID-04 B-ID-05 B-ID-06 B-ID-07 B-ID-08 B-ID-09 B-ID-10
  B-MSG-01 B-MSG-02 B-MSG-03 B-MSG-04 B-MSG-05 B-MSG-06 B-MSG-07 B-MSG-08 B-MSG-09 B-MSG-10 B-MSG-11 B-MSG-12
  B-MSG-13 B-MSG-14 B-MSG-15 B-MSG-16 B-MSG-17 B-MSG-18 B-MSG-19 B-MSG-20 B-MSG-21 B-MSG-22 B-MSG-23 B-MSG-24
  B-MSG-25 B-MSG-26 B-MSG-27 B-MSG-28 B-MSG-29 B-MSG-30 B-MSG-31 B-MSG-32
  B-SES-01 B-SES-02 B-SES-03 B-SES-04 B-SES-05 B-SES-06 B-SES-07 B-SES-08 B-SES-09 B-SES-10 B-SES-11 B-SES-12
  B-SES-13 B-SES-14 B-SES-15 B-SES-16 B-SES-17 B-SES-18 B-SES-19 B-SES-20 B-SES-21 B-SES-22 B-SES-23
  B-PV-01 B-PV-02 B-PV-03 B-PV-04 B-PV-05 B-PV-06 B-PV-07 B-PV-08 B-PV-09 B-PV-10 B-PV-11 B-PV-12 B-PV-13
  B-PV-14
  B-WS-01 B-WS-02 B-WS-03 B-WS-04 B-WS-05 B-WS-06 B-WS-07 B-WS-08
  B-PUB-01 B-PUB-02 B-PUB-03 B-PUB-04 B-PUB-05 B-PUB-06 B-PUB-07 B-PUB-08 B-PUB-09 B-PUB-10 B-PUB-11 B-PUB-12
  B-PUB-13 B-PUB-14 B-PUB-15 B-PUB-16 B-PUB-17 B-PUB-18 B-PUB-19
  B-RPC-01 B-RPC-02 B-RPC-03 B-RPC-04 B-RPC-05 B-RPC-06 B-RPC-07 B-RPC-08 B-RPC-09 B-RPC-10 B-RPC-11 B-RPC-12
  B-RPC-13 B-RPC-14 B-RPC-15 B-RPC-16 B-RPC-17 B-RPC-18 B-RPC-19 B-RPC-20 B-RPC-21 B-RPC-22 B-RPC-23
  B-ORD-01 B-ORD-02 B-ORD-03 B-ORD-04 B-ORD-05 B-ORD-06 B-ORD-07 B-ORD-08
  A-RS-01 A-RS-02 A-RS-03 A-RS-04 A-RS-05 A-RS-06 A-RS-07 A-RS-08 A-RS-09 A-RS-10 A-RS-11 A-RS-12 A-RS-13
  A-RS-14 A-RS-15 A-RS-16 A-RS-17 A-RS-18 A-RS-19 A-RS-20 A-RS-21
  A-LP-01 A-LP-02 A-LP-03 A-LP-04 A-LP-05 A-LP-06 A-LP-07 A-LP-08 A-LP-09 A-LP-10 A-LP-11 A-LP-12 A-LP-13
  A-BAT-01 A-BAT-02 A-BAT-03 A-BAT-04 A-BAT-05
  A-AUT-01 A-AUT-02 A-AUT-03 A-AUT-04 A-AUT-05 A-AUT-06 A-AUT-07 A-AUT-08 A-AUT-09 A-AUT-10 A-AUT-11 A-AUT-12 A-AUT-13
  A-AUT-14 A-AUT-16
  A-ANO-01 A-TKT-01 A-TKT-02 A-TKT-03 A-TLA-04 A-DYN-01
  A-CRA-01 A-CRA-02 A-CRA-03 A-CRA-04 A-CRA-05 A-CRA-06 A-CRA-07 A-CRA-08
  A-SCR-01 A-SCR-02 A-SCR-03 A-SCR-04 A-SCR-05 A-SCR-06 A-SCR-07 A-SCR-08 A-SCR-09 A-SCR-10 A-SCR-11 A-SCR-13
  A-CSG-01 A-CSG-02 A-CSG-03 A-CSG-04 A-CSG-05 A-CSG-06 A-CSG-07 A-CSG-10 A-CSG-11
  A-AZ-01 A-AZ-02 A-AZ-03 A-AZ-04 A-AZ-05 A-AZ-07 A-AZ-08
  A-PEX-01 A-PEX-02 A-PEX-03 A-PEX-04
  A-BWL-01 A-BWL-02 A-BWL-03 A-BWL-04 A-BWL-05 A-BWL-06 A-BWL-07 A-BWL-08 A-BWL-09 A-BWL-10
  A-PID-01 A-PID-02 A-PID-03 A-PID-04 A-PID-05 A-PID-06
  A-PBS-01 A-PBS-02 A-PBS-03 A-PBS-04 A-PBS-05 A-PBS-06 A-PBS-07 A-PBS-08 A-PBS-09 A-PBS-10 A-PBS-11 A-PBS-12
  A-EVH-01 A-EVH-02 A-EVH-03 A-EVH-04 A-EVH-05 A-EVH-06 A-EVH-07 A-EVH-08 A-EVH-09
  A-EVR-01 A-EVR-02 A-EVR-03 A-EVR-04 A-EVR-05 A-EVR-06 A-EVR-07 A-EVR-08
  A-SRV-01 A-SRV-02
  A-SMA-01 A-SMA-02 A-SMA-03 A-SMA-04 A-SMA-05 A-SMA-06 A-SMA-07 A-SMA-08 A-SMA-09 A-SMA-10 A-SMA-11 A-SMA-12
  A-PCR-01 A-PCR-02 A-PCR-03 A-PCR-04 A-PCR-05 A-PCR-06 A-PCR-07 A-PCR-08 A-PCR-09 A-PCR-10
  A-PCI-01 A-PCI-03 A-PCI-04 A-PCI-05 A-PCI-06 A-PCI-07 A-PCI-08 A-PCI-09 A-PCI-10
  A-CTO-01 A-CTO-02 A-CTO-03 A-CTO-04 A-CTO-05 A-CTO-06 A-CTO-07
  A-CAN-01 A-CAN-02 A-CAN-03 A-CAN-04 A-CAN-05 A-CAN-06 A-CAN-07 A-CAN-08 A-CAN-09 A-CAN-10
  A-CID-01 A-CID-02 A-CID-03 A-CID-04 A-CID-05 A-CID-06
  A-PBR-01 A-PBR-02 A-PBR-03 A-PBR-04 A-PBR-05 A-PBR-06 A-PBR-07 A-PBR-08 A-PBR-09 A-PBR-10
  A-SHR-01 A-SHR-02 A-SHR-03 A-SHR-04 A-SHR-05 A-SHR-06 A-SHR-07 A-SHR-08 A-SHR-09 A-SHR-10 A-SHR-11 A-SHR-12
  A-RRV-01 A-RRV-02 A-RRV-03
  A-RMA-01 A-RMA-02 A-RMA-03 A-RMA-04 A-RMA-05 A-RMA-06
  A-CRR-01 A-CRR-02 A-CRR-03
  A-SMT-01 A-SMT-02 A-SMT-03 A-SMT-04 A-SMT-05 A-SMT-06 A-SMT-07 A-SMT-08 A-SMT-09
  A-KIL-01 A-KIL-02 A-KIL-03 A-KIL-04 A-KIL-05 A-KIL-06 A-KIL-07
  A-TST-01 A-TST-02 A-TST-03 A-TST-04 A-TST-05 A-TST-06 A-TST-07 A-TST-08
  A-PPT-01 A-PPT-02 A-PPT-03 A-PPT-05 A-PPT-06 A-PPT-07
`
  .trim()
  .split(/\s+/);

/** Rows that nothing holds, and why. */
export const NOT_HELD: Readonly<Record<string, string>> = {};

/** The vector says that a gap is a violation or accepted, as the realm has it: it shows nothing by itself. */
const STRICT_ONLY = 'B-ID-06';

interface Vector {
  readonly refs: readonly string[];
  readonly title?: string;
  readonly name?: string;
}

function vectors(file: string, key: 'scenarios' | 'samples'): readonly Vector[] {
  const text = readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');
  return (JSON.parse(text) as Readonly<Record<string, readonly Vector[]>>)[key] ?? [];
}

/** The rows that vectors say they are about. Deviations (D-nn) are in a table of their own. */
function rowsOfVectors(): readonly HeldRow[] {
  const rows = new Map<string, [string, string][]>();
  for (const [file, key] of [[SCENARIOS, 'scenarios'] as const, [INVALID, 'samples'] as const]) {
    for (const { refs, title, name = title } of vectors(file, key)) {
      for (const id of refs.filter((ref) => !ref.startsWith('D-') && !(ref in NOT_HELD) && ref !== STRICT_ONLY)) {
        rows.set(id, [...(rows.get(id) ?? []), [file, name ?? '']]);
      }
    }
  }
  return [...rows].map(([id, tests]) => row(id, tests[0]?.[1] ?? '', ...tests));
}

export const ROWS: readonly HeldRow[] = [
  ...rowsOfVectors(),
  ...BASIC_ROWS,
  ...ADVANCED_ROWS,
  ...LONG_POLL_ROWS,
  ...AUTH_ROWS,
];
