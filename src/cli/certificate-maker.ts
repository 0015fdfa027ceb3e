import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type GeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { roleUriPrefix } from '../wire/certificate.js';

/** ECDSA on P-256: known to every TLS 1.3 peer (RFC 8446, 9.1), and small. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;
/** An authority of one's own is replaced by hand on every host: seldom. */
const authorityDays = 3_650;
/** Of the parts: renewed by one command and a copy, so once in two years is not much. */
const partDays = 730;
/** Clocks of hosts differ: what is made now must hold there too. */
const backdatedMs = 3_600_000;

/** A certificate and its key, as PEM. */
export interface Issued {
  certificate: string;
  key: string;
}

/** Signs certificates for the parts of one installation. */
export class Authority {
  readonly #certificate: X509Certificate;
  readonly #signingKey: webcrypto.CryptoKey;

  private constructor(certificate: X509Certificate, signingKey: webcrypto.CryptoKey) {
    this.#certificate = certificate;
    this.#signingKey = signingKey;
  }

  static async create(): Promise<{ authority: Authority; issued: Issued }> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      ...{ serialNumber: serialNumber(), name: `CN=scriptd authority ${nameSuffix()}`, keys },
      ...{ ...validFor(authorityDays), signingAlgorithm: algorithm },
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const issued = { certificate: pem(certificate), key: await keyPem(keys.privateKey) };
    return { authority: new Authority(certificate, keys.privateKey), issued };
  }

  /** @throws Error when one of the two is not what `create` made. */
  static async from({ certificate, key }: Issued): Promise<Authority> {
    const [der] = PemConverter.decode(key);
    if (!der) throw new Error('the key of the authority is no PEM');
    const signingKey = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
    return new Authority(new X509Certificate(certificate), signingKey);
  }

  /** @param hosts names and IP addresses at which the part is reached */
  async issue(role: string, hosts: readonly string[]): Promise<Issued> {
    const keys = await newKeys();
    const names: GeneralNames = [
      { type: 'url', value: `${roleUriPrefix}${role}` },
      ...hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
    ];
    const { serverAuth, clientAuth } = ExtendedKeyUsage;
    const certificate = await X509CertificateGenerator.create({
      ...{ serialNumber: serialNumber(), subject: `CN=scriptd ${role}` },
      ...{ issuer: this.#certificate.subject, signingKey: this.#signingKey },
      ...{ publicKey: keys.publicKey, ...validFor(partDays), signingAlgorithm: algorithm },
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        // Each part listens to some peers and connects to others.
        new ExtendedKeyUsageExtension([serverAuth, clientAuth]),
        new SubjectAlternativeNameExtension(names),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
      ],
    });
    return { certificate: pem(certificate), key: await keyPem(keys.privateKey) };
  }
}

type GeneralNames = ConstructorParameters<typeof SubjectAlternativeNameExtension>[0] &
  Pick<GeneralName, 'type' | 'value'>[];

function newKeys() {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** So that two authorities that are trusted at the same time have two names. */
function nameSuffix(): string {
  return randomBytes(4).toString('hex');
}

/** 127 random bits, hexadecimal: positive, and not to be guessed (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function validFor(days: number) {
  const nowMs = Date.now();
  return {
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs + days * dayMs),
  };
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey('pkcs8', key);
  return `${PemConverter.encode(der, 'PRIVATE KEY')}\n`;
}
