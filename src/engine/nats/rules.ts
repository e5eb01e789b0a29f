/** What is checked of every section that leads to NATS. */
import type { Place, RuleContext } from '../../schema/rules.js';

/** Rule of such a section: the node is one user there, and has the key of its certificate. */
export function checkNats(section: Place, { report }: Pick<RuleContext, 'report'>): void {
  const [user, password, tls] = [section.get('user'), section.get('password'), section.get('tls')];
  if (!user.missing && password.missing) report(user.path, 'found without "password" (allowed: both, or none of them)');
  if (user.missing && !password.missing) report(password.path, 'found without "user" (allowed: both, or none of them)');
  const ways = ['user', 'nkey', 'credentials'].map((key) => section.get(key)).filter(({ missing }) => !missing);
  for (const way of ways.slice(1)) {
    report(way.path, `found beside "${ways[0]?.path.at(-1) ?? ''}" (allowed: one of "user", "nkey" and "credentials")`);
  }
  for (const [one, other] of [['certificate', 'key'] as const, ['key', 'certificate'] as const]) {
    if (tls.get(one).missing || !tls.get(other).missing) continue;
    report(tls.get(one).path, `found without "${other}" (allowed: both, or none of them)`);
  }
}
