import type { TLSSocket } from 'node:tls';

/**
 * A certificate names the parts whose work its holder may do by URIs among its alternative names
 * (RFC 5280, 4.2.1.6), e.g. `urn:scriptd:worker`.
 */
export const roleUriPrefix = 'urn:scriptd:';

/** The roles in the certificate that the peer has shown and that our authority signed. */
export function certifiedRolesOf(tls: TLSSocket): readonly string[] {
  const names = tls.getPeerCertificate().subjectaltname ?? '';
  return rolesOf(names);
}

/** From the text in which Node gives alternative names: `DNS:a, URI:urn:scriptd:worker`. */
export function rolesOf(alternativeNames: string): string[] {
  // Node quotes a name that could pass for several.
  if (alternativeNames.includes('"')) return [];
  const prefix = `URI:${roleUriPrefix}`;
  return alternativeNames
    .split(', ')
    .flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}
