/** What a client of long-poll says when it comes: which subprotocols it speaks, in the order of its preference. Pure. */
import { isUtf8 } from 'node:buffer';

/** @returns the subprotocols, or what is wrong with the body of a request. */
export function protocolsOf(body: Buffer): readonly string[] | string {
  const value = isUtf8(body) ? parsed(body.toString()) : undefined;
  if (value === undefined) return 'the body is not JSON';
  if (typeof value !== 'object' || value === null || !('protocols' in value)) {
    return 'the body is no JSON object with a list of "protocols", such as {"protocols": ["wamp.2.json"]}';
  }
  const { protocols } = value;
  if (!Array.isArray(protocols) || !protocols.every((each) => typeof each === 'string')) {
    return '"protocols" is no list of texts';
  }
  return protocols;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // It is no JSON, which nothing else says.
    return undefined;
  }
}
