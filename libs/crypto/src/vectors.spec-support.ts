/** What the two files of vectors hold: `encodings` is recomputed, `sealed` must still open. */
import type {
  Body, BodyKind, Bytes, CborValue, ContextKind, FeedGrant, InviteId, InviteLink, JoinReplyBody, KeyGrantNews, MemberId, PublishedPrekey,
  RoomId, SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import type {
  HybridKeyPair, InviteToken, JoinKey, KeyPair, PassphraseSeal, RoomKey, SealedPlace, SealedVaultKey, VaultKey,
} from './keys/index.js'; // prettier-ignore
import type { TranscriptEntry } from './verify/index.js';

export interface Encodings {
  readonly cbor: readonly { readonly value: CborValue; readonly bytes: Bytes }[];
  readonly contexts: readonly {
    readonly kind: ContextKind;
    readonly fields: readonly CborValue[];
    readonly bytes: Bytes;
    readonly sha256: Bytes;
  }[];
  readonly bodies: readonly {
    readonly kind: BodyKind;
    readonly body: Body<BodyKind>;
    readonly bytes: Bytes;
  }[];
  readonly padme: readonly { readonly length: number; readonly size: number; readonly padded: number }[];
  readonly padding: readonly { readonly plain: Bytes; readonly padded: Bytes }[];
  readonly ids: {
    readonly publicKey: Bytes;
    readonly memberId: MemberId;
    readonly fingerprint: string;
    readonly token: InviteToken;
    readonly inviteId: InviteId;
    readonly genesis: Bytes;
    readonly roomId: RoomId;
  };
  readonly keyHash: {
    readonly nonce: Bytes;
    readonly epoch: number;
    readonly key: RoomKey;
    readonly hash: Bytes;
  };
  readonly transcript: {
    readonly start: Bytes;
    readonly steps: readonly ({ readonly entry: TranscriptEntry } | { readonly generation: number })[];
    readonly values: readonly Bytes[];
  };
  readonly safetyNumber: {
    readonly roomId: RoomId;
    readonly keyA: Bytes;
    readonly keyB: Bytes;
    readonly digits: string;
  };
  readonly messageClear: { readonly epoch: number; readonly bytes: Bytes };
  readonly sessionFrame: {
    readonly counter: number;
    readonly messages: readonly SessionMessage[];
    readonly bytes: Bytes;
  };
  readonly invite: { readonly fragment: string; readonly link: InviteLink & { readonly inviteId: InviteId } };
}

/** Made with keys that serve nothing else. */
export interface SealedVectors {
  /** the n-th frame of a connection that was given this part in a feed */
  readonly feedFrame: {
    readonly grant: FeedGrant;
    readonly n: number;
    readonly messages: readonly SessionMessage[];
    readonly bytes: Bytes;
  };
  readonly roomId: RoomId;
  /** genesis, and the admit of the member that the others are sealed for */
  readonly chain: readonly Bytes[];
  readonly encodedRoster: Bytes;
  readonly memberId: MemberId;
  readonly message: { readonly place: SealedPlace; readonly body: Body<'message'> };
  readonly signal: { readonly place: SealedPlace; readonly body: Body<'signal'> };
  readonly rotation: {
    readonly clear: Bytes;
    readonly payload: Bytes;
    readonly wrap: Bytes;
    readonly oldKey: RoomKey;
    readonly prekey: HybridKeyPair;
    readonly key: RoomKey;
    readonly keyHash: Bytes;
  };
  readonly grant: {
    readonly request: Bytes;
    readonly prekey: HybridKeyPair;
    readonly grant: Bytes;
    readonly news: Bytes;
    readonly opened: { readonly key: RoomKey; readonly news: KeyGrantNews };
  };
  readonly join: {
    readonly fragment: string;
    readonly inviteKeyPair: KeyPair;
    readonly ownerKey: Bytes;
    readonly joinerKey: Bytes;
    readonly request: Bytes;
    readonly opened: PublishedPrekey & { readonly joinKey: JoinKey; readonly name: string };
    readonly reply: { readonly payload: Bytes; readonly body: JoinReplyBody };
    readonly confirm: Bytes;
  };
  readonly vault: {
    readonly passphrase: string;
    readonly sealedKey: SealedVaultKey;
    readonly key: VaultKey;
    readonly record: {
      readonly store: string;
      readonly key: string;
      readonly sealed: Bytes;
      readonly value: Bytes;
    };
    readonly exported: { readonly seal: PassphraseSeal; readonly data: Bytes };
    /** as versions 1 to 3 sealed the same */
    readonly earlier: { readonly sealedKey: Bytes; readonly exported: Bytes };
  };
}
