/** Packets of MQTT, octet by octet, for tests: also those that no library would write. */

/** Two octets of length, then the text or the octets. */
export function field(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

/** @param first the first octet: type and flags. @returns the packet with the right length in it. */
export function packet(first: number, ...fields: readonly (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(fields.map((part) => Uint8Array.from(part)));
  const length: number[] = [];
  let rest = body.length;
  do {
    const octet = rest % 128;
    rest = Math.floor(rest / 128);
    length.push(rest > 0 ? octet + 128 : octet);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

/** @param flags of the CONNECT; 2: a clean session. @param rest what stands behind the keep-alive */
export function connect({
  name = 'MQTT',
  level = 4,
  flags = 2,
  rest = [field('me')],
}: { name?: string; level?: number; flags?: number; rest?: readonly Uint8Array[] } = {}): Buffer {
  return packet(0x10, field(name), [level, flags, 0, 60], ...rest);
}

/** A message with QoS 0. */
export function publish(topic: string | Uint8Array, payload: string | Uint8Array = ''): Buffer {
  return packet(0x30, field(topic), Buffer.from(payload));
}
