/** What an error of the network means for a store, by its errno or the word of the TLS library. */
export type NetworkVerdict = readonly [code: 'store-refused' | 'store-broken', hint: string];

/** The server shows a certificate that nobody here vouches for, or none at all. */
const UNTRUSTED = [
  'EPROTO',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
];

const OTHERS: Readonly<Record<string, NetworkVerdict>> = {
  ENOTFOUND: ['store-broken', "Is the server's name right, and does this machine have a network?"],
  ECONNREFUSED: ['store-broken', 'Is the server up, and its port right?'],
  CERT_HAS_EXPIRED: ['store-refused', "The server's certificate has run out: it must be renewed there."],
  CERT_NOT_YET_VALID: ['store-refused', "Is this machine's clock right?"],
  ERR_TLS_CERT_ALTNAME_INVALID: ['store-refused', 'The certificate is for another name: use that one in the address.'],
};

/** @param trust what to do about a server that nobody vouches for: a sentence. */
export function networkVerdict(errno: string | undefined, trust: string): NetworkVerdict | undefined {
  if (errno === undefined) return undefined;
  return UNTRUSTED.includes(errno) ? ['store-refused', trust] : OTHERS[errno];
}
