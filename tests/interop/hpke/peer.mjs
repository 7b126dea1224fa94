// The other side of hpke_test.cpp: HPKE base mode by npm's @hpke/core, in the suite
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Everything in and out is hexadecimal.
//
//   node peer.mjs key                                   prints SECRET PUBLIC
//   node peer.mjs seal PUBLIC INFO AAD PLAINTEXT        prints enc || ciphertext || tag
//   node peer.mjs open SECRET PUBLIC INFO AAD SEALED    prints the plaintext, or "refused"
import { webcrypto } from 'node:crypto';
// Node 18 has no global `crypto`, which the library wants.
globalThis.crypto ??= webcrypto;
const { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } = await import('@hpke/core');

const kEncSize = 32;

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (buffer) => Buffer.from(buffer).toString('hex');
const publicKey = (text) => suite.kem.deserializePublicKey(bytes(text));

const commands = {
  async key() {
    const pair = await suite.kem.generateKeyPair();
    const secret = await suite.kem.serializePrivateKey(pair.privateKey);
    return `${hex(secret)} ${hex(await suite.kem.serializePublicKey(pair.publicKey))}`;
  },
  async seal(recipient, info, aad, plaintext) {
    const sealed = await suite.seal(
      { recipientPublicKey: await publicKey(recipient), info: bytes(info) },
      bytes(plaintext),
      bytes(aad),
    );
    return hex(sealed.enc) + hex(sealed.ct);
  },
  async open(secret, recipient, info, aad, sealed) {
    const recipientKey = {
      privateKey: await suite.kem.deserializePrivateKey(bytes(secret)),
      publicKey: await publicKey(recipient),
    };
    const message = bytes(sealed);
    try {
      return hex(await suite.open(
        { recipientKey, enc: message.slice(0, kEncSize), info: bytes(info) },
        message.slice(kEncSize),
        bytes(aad),
      ));
    } catch {
      return 'refused';
    }
  },
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name)) throw new Error(`no command ${name}`);
console.log(await commands[name](...args));
